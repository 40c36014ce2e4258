"""Masks, painted by keyboard, mouse and touch."""

from __future__ import annotations

import pytest

from tests.e2e.keyboard import press
from tests.e2e.studio import Studio


def test_a_mask_painted_by_keyboard_survives_other_views_and_is_applied(studio: Studio) -> None:
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    before = studio.download()
    page.locator("#run").focus()
    press(page, "m")
    painter = page.get_by_role("application")
    painter.focus()
    press(page, *["Shift+ArrowLeft"] * 6, "]", "]", "]", "Space", *["Shift+ArrowRight"] * 2, "Space")
    press(page, "Control+z")
    press(page, *["Shift+ArrowLeft"] * 2)
    page.get_by_role("radio", name="Erase").check(force=True)
    painter.press("Shift+ArrowDown")
    page.get_by_role("radio", name="Paint").check(force=True)
    studio.view("Before").check(force=True)
    studio.view("Mask").check(force=True)
    studio.edit("make it black and white", becomes="v3")
    after = studio.download()
    width, height = before.size
    inside, outside = (int(width * 0.2), height // 2), (int(width * 0.8), height // 2)
    assert len(set(after.getpixel(inside))) == 1  # type: ignore[arg-type]
    assert after.getpixel(outside) == before.getpixel(outside)


def test_the_mask_can_be_inverted_and_cleared(studio: Studio) -> None:
    page = studio.page
    studio.view("Mask").check(force=True)
    painter = page.get_by_role("application")

    def painted() -> float:
        """The share of the image that is painted."""
        share: float = painter.locator("canvas").evaluate(
            """canvas => {
                const sheet = new OffscreenCanvas(canvas.width, canvas.height);
                const pen = sheet.getContext("2d", { willReadFrequently: true });
                pen.drawImage(canvas, 0, 0);
                const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 3; at < data.length; at += 4) count += data[at] > 127;
                return count / (data.length / 4);
            }"""
        )
        return share

    box = painter.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 60, steps=4)
    page.mouse.up()
    part = painted()
    assert 0.02 < part < 0.2
    page.get_by_role("button", name="Invert mask").click()
    assert painted() == pytest.approx(1 - part, abs=0.01)
    page.get_by_role("button", name="Undo stroke").click()
    assert painted() == part
    page.get_by_role("slider", name="Brush size").fill("250")
    page.get_by_role("radio", name="Erase").check(force=True)
    page.mouse.click(box["x"] + 180, box["y"] + 60)
    assert painted() < part
    page.get_by_role("button", name="Clear mask").click()
    assert painted() == 0


def test_a_mask_is_painted_by_touch(phone: Studio) -> None:
    phone.view("Mask").check(force=True)
    phone.page.get_by_role("application").tap()
    phone.run("make it black and white")
    phone.expect_editing("v2")
    picture = phone.download()
    width, height = picture.size
    assert len(set(picture.getpixel((width // 2, height // 2)))) == 1  # type: ignore[arg-type]
    assert len(set(picture.getpixel((5, height - 5)))) > 1  # type: ignore[arg-type]


def test_a_mask_can_be_painted_before_its_image_is_loaded(studio: Studio) -> None:
    studio.edit("make it warmer", becomes="v2")
    studio.page.route("**/files/**", lambda image: None)
    studio.page.reload(wait_until="domcontentloaded")
    studio.view("Mask").check(force=True)
    studio.page.get_by_role("application").press("Space")
    studio.edit("make it black and white", becomes="v3")
    studio.page.unroute("**/files/**")
    picture = studio.download()
    width, height = picture.size
    assert len(set(picture.getpixel((width // 2, height // 2)))) == 1  # type: ignore[arg-type]
    assert len(set(picture.getpixel((5, height - 5)))) > 1  # type: ignore[arg-type]
