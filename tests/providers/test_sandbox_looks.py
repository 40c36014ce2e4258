from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from editor.providers.sandbox.clauses import colour
from editor.providers.sandbox.operations import Look
from editor.providers.sandbox.render import FILTERS, Output, Recipe, render
from tests.providers.pictures import (
    SIZE,
    changed_box,
    colour_at,
    edit,
    edit_bytes,
    hue_at,
    is_grey,
    mean,
    opened,
    same,
    save,
)


def test_black_and_white_with_text_is_grey_with_the_text_at_the_bottom(photo: Path) -> None:
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
def test_brightness_changes_as_requested(photo: Path, prompt: str, brighter: bool) -> None:
    assert (mean(edit(prompt, photo)) > mean(opened(photo)) + 3) is brighter
    assert (mean(edit(prompt, photo)) < mean(opened(photo)) - 3) is not brighter


def test_words_of_degree_change_the_strength(photo: Path) -> None:
    results = [mean(edit(f"make it {degree} darker", photo)) for degree in ("slightly", "", "much")]
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


def test_saturation_changes_as_requested(photo: Path) -> None:
    def saturation(image: Image.Image) -> float:
        return ImageStat.Stat(image.convert("HSV")).mean[1]

    assert saturation(edit("muted", photo)) < saturation(opened(photo)) < saturation(edit("vivid", photo))


def test_inverting_twice_restores_the_picture(photo: Path) -> None:
    assert not same(edit("invert", photo), opened(photo))
    assert same(edit("invert, then invert the colours", photo), opened(photo))


def test_blur_reduces_detail_and_sharpening_adds_it(photo: Path) -> None:
    def detail(image: Image.Image) -> float:
        grey = image.convert("L")
        return ImageStat.Stat(ImageChops.difference(grey, ImageChops.offset(grey, 1, 0))).sum2[0]

    assert detail(edit("blur it strongly", photo)) < detail(opened(photo)) < detail(edit("sharpen", photo))


def test_a_pencil_sketch_is_grey_and_mostly_paper(photo: Path) -> None:
    sketch = edit("pencil sketch", photo)
    assert is_grey(sketch)
    assert mean(sketch) > 150


def test_ink_is_black_and_paper_with_little_between(photo: Path) -> None:
    levels = edit("as an ink drawing", photo).convert("L").histogram()
    assert sum(levels[:60]) > 1000
    assert sum(levels[220:]) > 1000
    assert sum(levels[60:220]) < sum(levels) / 3


def test_watercolour_is_paler_than_gouache(photo: Path) -> None:
    assert mean(edit("watercolour", photo)) > mean(edit("gouache", photo)) + 10


def test_a_risograph_prints_red_in_pink_and_blue_in_teal(photo: Path) -> None:
    printed = edit("risograph", photo)
    assert hue_at(printed, 45, 45) > 330
    assert 170 < hue_at(printed, 120, 45) < 260


def test_golden_hour_light_comes_from_the_upper_left(photo: Path) -> None:
    plain, golden = (image.convert("L") for image in (opened(photo), edit("golden hour", photo)))
    gained = ImageChops.subtract(golden, plain)
    near, far = gained.crop((0, 0, 60, 40)), gained.crop((180, 120, 240, 160))
    assert mean(near) > mean(far) + 10


def test_a_matte_picture_has_no_black_and_less_colour(photo: Path) -> None:
    matte = edit("matte", photo)
    assert not any(matte.convert("L").histogram()[:50])
    assert ImageStat.Stat(matte.convert("HSV")).mean[1] < ImageStat.Stat(opened(photo).convert("HSV")).mean[1]


def test_cinematic_shadows_are_teal_and_lights_amber(tmp_path: Path) -> None:
    path = save(Image.linear_gradient("L").convert("RGB"), tmp_path / "gradient.png")
    graded = edit("cinematic", path)
    (dark_red, _, dark_blue), (light_red, _, light_blue) = (colour_at(graded, 128, y) for y in (70, 190))
    assert dark_blue > dark_red + 10
    assert light_red > light_blue + 10


def test_soft_focus_adds_a_halo_to_bright_areas(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200))
    image.paste((255, 255, 255), (100, 50, 200, 150))
    soft = edit("soft focus", save(image, tmp_path / "window.png"))
    beside, far = colour_at(soft, 97, 100), colour_at(soft, 10, 100)
    assert beside[0] > far[0] + 20
    assert colour_at(soft, 150, 100)[0] > 240


@pytest.mark.parametrize(("prompt", "most"), [("posterise", 5**3), ("pixelate", 64 * 64), ("pixel art", 16)])
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
    path = save(Image.new("RGB", size, (205, 45, 40)), tmp_path / "small.png")
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
    path = save(Image.new("RGB", (32, 32), colour(source)), tmp_path / "plain.png")
    result = colour_at(edit(f"turn {source} into {target}", path), 16, 16)
    wanted, was = colour(target), colour(source)

    def distance(other: tuple[int, int, int]) -> int:
        return sum(abs(left - right) for left, right in zip(result, other, strict=True))

    assert distance(wanted) < distance(was)


def test_a_tint_moves_everything_to_one_hue(photo: Path) -> None:
    red, green, blue = ImageStat.Stat(edit("tint it blue", photo).convert("RGB")).mean
    assert blue > green > red
