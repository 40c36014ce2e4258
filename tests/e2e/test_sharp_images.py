"""Images are as sharp as a screen with two device pixels shows them, or as the original is."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image as Picture
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import Studio
from tests.patience import wait_until

# Of each visible image with a file: its name, the pixels of its file (naturalWidth of an image with a srcset
# is not that), the device pixels that it covers, and the size of the original where the page says it.
MEASURE = """async (scope) => {
  const shown = [...document.querySelectorAll(`${scope} img`)]
    .filter((image) => image.checkVisibility() && image.clientWidth && image.getAttribute("src"));
  return await Promise.all(shown.map(async (image) => {
    image.loading = "eager";
    await image.decode();
    const file = new Image();
    file.src = image.currentSrc;
    await file.decode();
    const widths = [...image.srcset.matchAll(/ (\\d+)w/g)].map((found) => +found[1]);
    const scale = Math.max(
      image.clientWidth / file.naturalWidth, image.clientHeight / file.naturalHeight
    ) * devicePixelRatio;
    const what = (image.closest("[id]")?.id ?? "") + " " + image.className;
    return { what, scale, largest: file.naturalWidth >= Math.max(0, ...widths), offered: widths.length };
  }));
}"""


def wide_photograph() -> bytes:
    """Three times as wide as high: small boxes that it covers need more pixels of it than of others."""
    file = io.BytesIO()
    Picture.effect_noise((2400, 800), 40).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def assert_sharp(page: Page, *, images: int, scope: str = "body") -> None:
    """At least this number of images is shown, and each has a file with a pixel for each device pixel."""
    wait_until(
        lambda: page.evaluate("document.readyState") == "complete",
        pause=lambda seconds: page.wait_for_timeout(1000 * seconds),
    )
    found: list[dict[str, Any]] = page.evaluate(MEASURE, scope)
    assert len(found) >= images, found
    # One per cent for rounding; the largest of several files is the original.
    blurred = [
        image for image in found if image["scale"] > 1.01 and not (image["largest"] and image["offered"] > 1)
    ]
    assert blurred == [], f"{page.url}: {blurred}"


def test_images_are_sharp_at_two_device_pixels(common_portal: Portal, new_context: ContextMaker) -> None:
    page = new_context(device_scale_factor=2)
    studio = Studio(page, common_portal)
    assert_sharp(page, images=8)  # samples and styles
    page.locator("#file").set_input_files(
        {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": wide_photograph()}
    )
    studio.expect_editing("the original")
    page.get_by_role("radio", name="Creative").check(force=True)
    page.get_by_role("group", name="Samples").get_by_role("radio", name="2").check(force=True)
    expect(page.locator("#run-price")).to_have_text("· 4 credits")
    page.locator("#reference").set_input_files(
        {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": wide_photograph()}
    )
    expect(studio.references).to_have_count(1)
    assert_sharp(page, images=1, scope="#references")

    studio.run("make it warmer")
    expect(page.get_by_role("list", name="Samples").get_by_role("link")).to_have_count(2)
    expect(studio.versions).to_have_count(3)
    assert_sharp(page, images=2, scope=".siblings")
    studio.version("v2").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("tooltip")).to_be_visible()
    assert_sharp(page, images=4, scope="#rail")
    assert_sharp(page, images=1, scope="#chips")
    studio.view("Mask").check(force=True)
    assert_sharp(page, images=1, scope="mask-painter")
    studio.view("Compare").check(force=True)
    assert_sharp(page, images=2, scope="before-after")

    page.goto(f"{studio.url}gallery/")
    assert_sharp(page, images=2, scope=".grid")
    page.locator(".shot > a").first.click()
    expect(page.get_by_role("navigation", name="Versions")).to_be_visible()
    assert_sharp(page, images=4, scope=".lightbox")
