from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.render import Output
from tests.providers.pictures import SIZE, changed_box, colour_at, edit, opened, same, save


def test_flipping_mirrors_the_picture(photo: Path) -> None:
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
def test_the_canvas_gets_the_requested_size(photo: Path, prompt: str, size: tuple[int, int]) -> None:
    assert edit(prompt, photo).size == size


def test_cropping_keeps_the_centre_and_borders_surround_the_picture(photo: Path) -> None:
    assert same(edit("crop to square", photo), opened(photo).crop((40, 0, 200, 160)))
    framed = edit("add a 10px red border", photo)
    assert same(framed.crop((10, 10, 250, 170)), opened(photo))
    assert colour_at(framed, 0, 0) == (214, 40, 40)


def test_a_result_too_large_to_be_stored_is_refused(photo: Path) -> None:
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
def test_text_is_placed_where_requested(photo: Path, place: str, region: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = changed_box(opened(photo), edit(f'add the small text "Hey" {place}', photo))
    assert left >= region[0]
    assert top >= region[1]
    assert right <= region[2]
    assert bottom <= region[3]


def test_a_long_text_is_wrapped(photo: Path) -> None:
    left, _, right, _ = changed_box(
        opened(photo), edit(f'add the text "{"Fresh bread daily " * 4}" at the top', photo)
    )
    assert left > 0
    assert right < SIZE[0]


def test_text_has_the_requested_colour(photo: Path) -> None:
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


def test_side_by_side_puts_both_images_in_one_row(photo: Path, tmp_path: Path) -> None:
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


def test_transparency_is_kept_in_png_and_becomes_white_in_jpeg(tmp_path: Path) -> None:
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


def test_an_empty_prompt_changes_nothing(photo: Path) -> None:
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


def test_the_prompt_takes_precedence_over_the_inputs(photo: Path) -> None:
    assert edit("resize to 50x40", photo, output=Output(width=128, height=128)).size == (50, 40)
