"""Images are stored with the colours that Chromium shows of their originals."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from editor.media.codec import sanitise
from editor.media.decode import decode_upload
from tests.media import colours
from tests.media.colours import POINTS, Case
from tests.media.pictures import decode

# In steps of 255. Programs round differently, most where alpha is applied and taken away again, and
# interpolate differently in tables.
TOLERANCE, OF_TABLES = 2, 6
# What encoding with loss may add.
OF_LOSS = 6

DRAW = """async ([type, content, points]) => {
  const image = new Image();
  image.src = `data:${type};base64,${content}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", {colorSpace: "srgb"});
  context.drawImage(image, 0, 0);
  return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
}"""

Pixel = tuple[int, ...]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def shown(page: Page, case: Case) -> list[Pixel]:
    content = b64encode(case.content).decode()
    return [tuple(pixel) for pixel in page.evaluate(DRAW, [case.content_type, content, POINTS])]


def pixels(image: Image.Image) -> list[Pixel]:
    return [image.convert("RGBA").getpixel(point) for point in POINTS]  # type: ignore[misc]


def apart(ours: list[Pixel], theirs: list[Pixel]) -> int:
    """The largest difference of two visible values."""
    pairs = zip(ours, theirs, strict=True)
    return max(
        max(abs(a - b) for a, b in zip(one, other, strict=True)) if one[3] or other[3] else 0
        for one, other in pairs
    )


@pytest.mark.parametrize("make", colours.MAKERS)
def test_stored_images_and_thumbnails_look_as_the_originals_in_chromium(make: object, page: Page) -> None:
    assert callable(make)
    wrong: list[str] = []
    cases = list(make())
    for case in cases:
        theirs = shown(page, case)
        clean = sanitise(case.content)
        tolerance = OF_TABLES if "table" in case.name else TOLERANCE
        for image, allowed in (
            (decode_upload(case.content, case.content_type).image, tolerance),
            (decode(clean.content), tolerance + OF_LOSS),
            (decode(clean.thumbnails[160]), tolerance + OF_LOSS),
        ):
            if apart(pixels(image), theirs) > allowed:
                wrong.append(f"{case.name}: Chromium shows {theirs}, ours are {pixels(image)}")
    assert len(cases) > 2
    assert wrong == []
