from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import Look
from editor.providers.sandbox.parser import parse, parse_poster
from editor.providers.sandbox.render import FILTERS, Output, Recipe, render

SIZE = (240, 160)
RED, BLUE, GREEN, SKIN = (205, 45, 40), (40, 80, 200), (50, 150, 70), (224, 172, 140)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Something with light, shade, edges and colours, and no symmetry."""
    image = Image.linear_gradient("L").resize(SIZE).rotate(12).convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 79, 79), fill=RED)
    pen.rectangle((90, 20, 149, 69), fill=BLUE)
    pen.ellipse((160, 10, 229, 79), fill=GREEN)
    pen.rectangle((20, 95, 89, 139), fill=SKIN)
    return save(image, tmp_path / "photo.png")


def save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def edit_bytes(
    prompt: str,
    *images: Path,
    mask: Path | None = None,
    seed: int = 1,
    samples: int = 1,
    output: Output | None = None,
) -> list[bytes]:
    work = parse(prompt, images=len(images), masked=mask is not None) if images else parse_poster(prompt)
    recipe = Recipe(work, output or Output(), seed, samples)
    return render(recipe, list(images), mask, report=lambda percent: None)


def edit(prompt: str, *images: Path, mask: Path | None = None, output: Output | None = None) -> Image.Image:
    (content,) = edit_bytes(prompt, *images, mask=mask, output=output)
    return Image.open(io.BytesIO(content))


def opened(path: Path) -> Image.Image:
    return Image.open(path)


def is_grey(image: Image.Image) -> bool:
    red, green, blue = image.convert("RGB").split()
    return (
        not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox()
    )


def same(left: Image.Image, right: Image.Image) -> bool:
    return (
        left.size == right.size
        and not ImageChops.difference(left.convert("RGB"), right.convert("RGB")).getbbox()
    )


def changed_box(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox()
    assert box is not None
    return box


def mean(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


def colour_at(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return (int(pixel[0]), int(pixel[1]), int(pixel[2]))


def hue_at(image: Image.Image, x: int, y: int) -> int:
    """In degrees."""
    pixel = image.convert("HSV").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return round(pixel[0] * 360 / 256)


def test_black_and_white_with_words_is_grey_and_bears_the_words_at_the_bottom(photo: Path) -> None:
    prompt = 'make it black and white and add the text "SOLD" at the bottom'
    plain, sold = edit("black and white", photo), edit(prompt, photo)
    assert is_grey(sold)
    left, top, right, bottom = changed_box(plain, sold)
    assert top > SIZE[1] * 0.6
    assert bottom > SIZE[1] * 0.85
    assert abs((left + right) / 2 - SIZE[0] / 2) < 4
    levels = sold.convert("L").crop((left, top, right, bottom)).histogram()
    assert levels[255] > 100, "the letters are white"
    assert sum(levels[:24]) > 60, "with a dark outline"


@pytest.mark.parametrize("seed", [0, 7, 123])
def test_black_and_white_is_grey_whatever_the_seed_and_sample(photo: Path, seed: int) -> None:
    for content in edit_bytes("black and white", photo, seed=seed, samples=3):
        assert is_grey(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("prompt", "brighter"), [("brighter", True), ("darker", False), ("night", False), ("vignette", False)]
)
def test_light_goes_where_it_was_asked_to_go(photo: Path, prompt: str, brighter: bool) -> None:
    assert (mean(edit(prompt, photo)) > mean(opened(photo)) + 3) is brighter
    assert (mean(edit(prompt, photo)) < mean(opened(photo)) - 3) is not brighter


def test_strength_words_are_heard(photo: Path) -> None:
    results = [mean(edit(f"make it {words} darker", photo)) for words in ("slightly", "", "much")]
    assert results == sorted(results, reverse=True)
    assert len(set(results)) == 3


def test_warm_is_redder_and_cool_is_bluer(photo: Path) -> None:
    def redness(image: Image.Image) -> float:
        red, _, blue = ImageStat.Stat(image.convert("RGB")).mean
        return red - blue

    assert redness(edit("cool", photo)) < redness(opened(photo)) < redness(edit("warm", photo))


def test_sepia_is_one_hue(photo: Path) -> None:
    red, green, blue = ImageStat.Stat(edit("sepia", photo).convert("RGB")).mean
    assert red > green > blue


def test_saturation_goes_where_it_was_asked_to_go(photo: Path) -> None:
    def saturation(image: Image.Image) -> float:
        return ImageStat.Stat(image.convert("HSV")).mean[1]

    assert saturation(edit("muted", photo)) < saturation(opened(photo)) < saturation(edit("vivid", photo))


def test_inverting_twice_gives_the_picture_back(photo: Path) -> None:
    assert not same(edit("invert", photo), opened(photo))
    assert same(edit("invert, then invert the colours", photo), opened(photo))


def test_detail_goes_with_blur_and_comes_with_sharpening(photo: Path) -> None:
    def detail(image: Image.Image) -> float:
        grey = image.convert("L")
        return ImageStat.Stat(ImageChops.difference(grey, ImageChops.offset(grey, 1, 0))).sum2[0]

    assert detail(edit("blur it strongly", photo)) < detail(opened(photo)) < detail(edit("sharpen", photo))


def test_a_pencil_sketch_is_grey_and_mostly_paper(photo: Path) -> None:
    sketch = edit("pencil sketch", photo)
    assert is_grey(sketch)
    assert mean(sketch) > 150


@pytest.mark.parametrize(("prompt", "most"), [("posterise", 5**3), ("pixelate", 64 * 64)])
def test_few_colours_remain(photo: Path, prompt: str, most: int) -> None:
    before, after = (
        image.convert("RGB").getcolors(SIZE[0] * SIZE[1]) for image in (opened(photo), edit(prompt, photo))
    )
    assert before is not None
    assert after is not None
    assert len(after) <= most
    if prompt == "posterise":
        assert len(after) < len(before)


@pytest.mark.parametrize("name", sorted(FILTERS))
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (64, 5)])
def test_every_look_keeps_the_size_however_small(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = save(Image.new("RGB", size, RED), tmp_path / "small.png")
    (content,) = render(Recipe((Look(name),), Output(), 1), [path], None, report=lambda percent: None)
    assert Image.open(io.BytesIO(content)).size == size


def test_red_turns_into_blue_and_the_rest_stays(photo: Path) -> None:
    before, after = opened(photo), edit("turn red into blue", photo)
    assert hue_at(before, 45, 45) in {0, 1, 2}
    assert 210 <= hue_at(after, 45, 45) <= 240
    for x, y in ((120, 45), (195, 45), (60, 118)):
        assert colour_at(after, x, y) == colour_at(before, x, y)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("red", "white"),
        ("white", "red"),
        ("black", "green"),
        ("grey", "purple"),
        ("brown", "teal"),
        ("pink", "lime"),
    ],
)
def test_neutral_and_dark_colours_can_be_changed_too(source: str, target: str, tmp_path: Path) -> None:
    from editor.providers.sandbox.clauses import colour

    path = save(Image.new("RGB", (32, 32), colour(source)), tmp_path / "plain.png")
    result = colour_at(edit(f"turn {source} into {target}", path), 16, 16)
    wanted, was = colour(target), colour(source)

    def distance(other: tuple[int, int, int]) -> int:
        return sum(abs(left - right) for left, right in zip(result, other, strict=True))

    assert distance(wanted) < distance(was)


def test_a_tint_draws_everything_to_one_hue(photo: Path) -> None:
    red, green, blue = ImageStat.Stat(edit("tint it blue", photo).convert("RGB")).mean
    assert blue > green > red


def test_flipping_gives_the_mirrored_picture(photo: Path) -> None:
    before = opened(photo)
    assert same(edit("flip horizontally", photo), before.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert same(edit("flip it vertically", photo), before.transpose(Image.Transpose.FLIP_TOP_BOTTOM))


def test_rotating_turns_clockwise(photo: Path) -> None:
    before = opened(photo)
    assert same(edit("rotate right", photo), before.transpose(Image.Transpose.ROTATE_270))
    assert same(edit("rotate 180 degrees", photo), before.transpose(Image.Transpose.ROTATE_180))
    tilted = edit("rotate 20 degrees", photo)
    assert tilted.width > SIZE[0]
    assert colour_at(tilted, 0, 0) == (255, 255, 255)


@pytest.mark.parametrize(
    ("prompt", "size"),
    [
        ("crop to 16:9", (240, 135)),
        ("crop to square", (160, 160)),
        ("pad to square", (240, 240)),
        ("resize to 100x100", (100, 100)),
        ("half size", (120, 80)),
        ("width 60", (60, 40)),
        ("add a 10px border", (260, 180)),
        ("rotate left", (160, 240)),
    ],
)
def test_the_canvas_gets_the_asked_size(photo: Path, prompt: str, size: tuple[int, int]) -> None:
    assert edit(prompt, photo).size == size


def test_cropping_keeps_the_centre_and_borders_go_around(photo: Path) -> None:
    assert same(edit("crop to square", photo), opened(photo).crop((40, 0, 200, 160)))
    framed = edit("add a 10px red border", photo)
    assert same(framed.crop((10, 10, 250, 170)), opened(photo))
    assert colour_at(framed, 0, 0) == (214, 40, 40)


def test_a_result_too_large_to_be_kept_is_refused(photo: Path) -> None:
    with pytest.raises(Refused, match="25 megapixels"):
        edit("resize to 9000x9000", photo)


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("at the top", (0, 0, 240, 60)),
        ("at the bottom right", (120, 90, 240, 160)),
        ("at the top left", (0, 0, 120, 60)),
        ("in the centre", (40, 40, 200, 120)),
    ],
)
def test_words_stand_where_they_were_asked_to_stand(
    photo: Path, place: str, region: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = changed_box(opened(photo), edit(f'add the small text "Hey" {place}', photo))
    assert left >= region[0]
    assert top >= region[1]
    assert right <= region[2]
    assert bottom <= region[3]


def test_a_long_text_is_broken_into_lines_that_fit(photo: Path) -> None:
    left, _, right, _ = changed_box(
        opened(photo), edit(f'add the text "{"Fresh bread daily " * 4}" at the top', photo)
    )
    assert left > 0
    assert right < SIZE[0]


def test_words_have_the_asked_colour(photo: Path) -> None:
    colours = (
        edit('add the text "M" in the centre in yellow', photo).convert("RGB").getcolors(SIZE[0] * SIZE[1])
    )
    assert colours is not None
    assert (250, 215, 40) in {colour for _, colour in colours}


def test_image_2_lies_on_image_1(photo: Path, tmp_path: Path) -> None:
    patch = save(Image.new("RGBA", (50, 50), (255, 0, 255, 255)), tmp_path / "patch.png")
    before = opened(photo)
    after = edit("put image 2 onto image 1 at the bottom right", photo, patch)
    left, top, right, bottom = changed_box(before, after)
    assert left > SIZE[0] / 2
    assert colour_at(after, (left + right) // 2, (top + bottom) // 2) == (255, 0, 255)
    assert right - left == round(SIZE[0] * 0.35)


def test_transparent_parts_of_image_2_show_image_1(photo: Path, tmp_path: Path) -> None:
    clear = save(Image.new("RGBA", (50, 50), (255, 0, 255, 0)), tmp_path / "clear.png")
    assert same(edit("put image 2 onto image 1", photo, clear), opened(photo))


def test_side_by_side_stands_both_in_one_row(photo: Path, tmp_path: Path) -> None:
    other = save(Image.new("RGB", (80, 80), (255, 0, 255)), tmp_path / "other.png")
    row = edit("put them side by side", photo, other)
    assert row.size == (SIZE[0] + 160, 160)
    assert same(row.crop((0, 0, *SIZE)), opened(photo))
    assert colour_at(row, SIZE[0] + 80, 80) == (255, 0, 255)


@pytest.mark.parametrize("prompt", ["invert", "turn it into a gouache painting", 'add the text "Hi"', "flip"])
def test_under_the_masks_black_nothing_changes(photo: Path, tmp_path: Path, prompt: str) -> None:
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, (100, 40, 200, 120))
    before, after = opened(photo), edit(prompt, photo, mask=save(mask, tmp_path / "mask.png"))
    left, top, right, bottom = changed_box(before, after)
    assert left >= 100
    assert top >= 40
    assert right <= 200
    assert bottom <= 120


def test_transparency_is_kept_in_png_and_white_in_jpeg(tmp_path: Path) -> None:
    image = Image.new("RGBA", (20, 20), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 10, 20))
    path = save(image, tmp_path / "clear.png")
    png = edit("black and white", path)
    assert png.mode == "RGBA"
    assert png.getchannel("A").getextrema() == (0, 255)
    assert png.getchannel("A").getpixel((2, 2)) == 0
    jpeg = edit("black and white", path, output=Output(format="jpeg"))
    assert jpeg.format == "JPEG"
    assert min(colour_at(jpeg, 2, 2)) > 250


def test_nothing_asked_is_nothing_changed(photo: Path) -> None:
    assert same(edit("", photo), opened(photo))


@pytest.mark.parametrize(
    ("output", "size"),
    [
        (Output(ratio=(1, 1)), (160, 160)),
        (Output(width=128, height=128), (128, 128)),
        (Output(width=120), (120, 80)),
        (Output(), SIZE),
    ],
)
def test_the_output_has_the_size_of_the_inputs(photo: Path, output: Output, size: tuple[int, int]) -> None:
    assert edit("sepia", photo, output=output).size == size


def test_what_the_prompt_asks_for_wins_over_the_inputs(photo: Path) -> None:
    assert edit("resize to 50x40", photo, output=Output(width=128, height=128)).size == (50, 40)


@pytest.mark.parametrize("prompt", ["add grain", "pop art", "make it brighter"])
def test_the_same_seed_gives_the_same_bytes_and_samples_differ(photo: Path, prompt: str) -> None:
    first, again = (edit_bytes(prompt, photo, seed=5, samples=3) for _ in range(2))
    assert first == again
    assert len(set(first)) == 3


def test_another_seed_gives_another_grain(photo: Path) -> None:
    assert edit_bytes("add grain", photo, seed=1) != edit_bytes("add grain", photo, seed=2)


def test_progress_rises_to_one_hundred(photo: Path) -> None:
    seen: list[int] = []
    recipe = Recipe(parse("blur, sepia, grain", images=1), Output(), 1, samples=2)
    render(recipe, [photo], None, report=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) > 5


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(Refused, match="image 1 cannot be read"):
        edit("sepia", path)


@pytest.mark.parametrize(
    ("output", "size"),
    [
        (Output(), (1024, 1024)),
        (Output(ratio=(16, 9)), (1360, 768)),
        (Output(ratio=(9, 16)), (768, 1360)),
        (Output(width=640, height=320), (640, 320)),
        (Output(width=512, ratio=(1, 2)), (512, 1024)),
    ],
)
def test_a_poster_has_the_asked_shape(output: Output, size: tuple[int, int]) -> None:
    assert edit("A red fox in the snow", output=output).size == size


def test_posters_follow_from_the_seed() -> None:
    def poster(words: str, seed: int) -> bytes:
        (content,) = edit_bytes(words, seed=seed, output=Output(width=256, height=256))
        return content

    assert poster("Jazz", 1) == poster("Jazz", 1)
    assert len({poster("Jazz", seed) for seed in range(5)}) == 5
    assert poster("Jazz", 1) != poster("Rock", 1)


def test_a_poster_takes_on_the_look_at_the_prompts_end() -> None:
    assert is_grey(edit("A lighthouse, in black and white", output=Output(width=256, height=256)))
    assert not is_grey(edit("A lighthouse", output=Output(width=256, height=256)))


@pytest.mark.parametrize("words", ["", "x", "W" * 400, "word " * 300])
def test_a_poster_can_be_set_from_any_words(words: str) -> None:
    assert edit(words, output=Output(width=208, height=304)).size == (208, 304)
