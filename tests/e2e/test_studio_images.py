"""Adding images in the Studio: chosen, dropped, pasted; as a source and as references."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image as Picture
from playwright.sync_api import CDPSession, FilePayload, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.studio import PHOTO, Studio, picture


def test_a_preview_is_shown_before_the_server_responds(studio: Studio) -> None:
    held: list[Route] = []
    studio.page.route(re.compile("/upload/"), lambda route: held.append(route))
    preview = studio.page.locator("#preview")
    expect(preview).to_be_hidden()
    studio.page.locator("#file").set_input_files(PHOTO)
    expect(preview).to_be_visible()
    assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") == 600
    studio.wait_until(lambda: held)
    held[0].continue_()
    expect(preview).to_be_hidden()
    studio.expect_editing("the original")


def test_a_refused_file_removes_its_preview_and_shows_the_reason(studio: Studio) -> None:
    studio.page.locator("#file").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"these are no pixels"}
    )
    expect(studio.page.locator("#prompt-error")).to_contain_text("image")
    expect(studio.page.locator("#preview")).to_be_hidden()
    studio.expect_editing("the original")


def test_a_failed_upload_shows_an_error(studio: Studio, new_context: ContextMaker) -> None:
    studio.page.route(re.compile("/upload/"), lambda route: route.abort())
    studio.page.locator("#file").set_input_files(PHOTO)
    expect(studio.page.locator("#prompt-error")).to_contain_text("The image was not added")
    expect(studio.page.locator("#preview")).to_be_hidden()
    expect(studio.page.locator("#sending-image")).not_to_have_attribute("value", re.compile(""))
    new_context.forgive("ERR_FAILED", "Failed to send")
    studio.page.unroute(re.compile("/upload/"))
    studio.page.locator("#file").set_input_files(PHOTO)
    expect(studio.page.locator("#prompt-error")).to_be_empty()


@pytest.mark.parametrize(
    ("field", "name"), [("#file", "Sending the image"), ("#reference", "Sending the reference image")]
)
def test_an_upload_shows_how_much_is_sent_until_all_is(studio: Studio, field: str, name: str) -> None:
    page, before = studio.page, studio.page.url
    bar = page.get_by_role("progressbar", name=name, exact=True)
    expect(bar).to_be_hidden()
    network = slow_network(studio)
    page.locator(field).set_input_files(noise())
    expect(bar).to_be_visible()
    studio.wait_until(lambda: 0 < int(bar.get_attribute("value") or 0) < 100)
    network.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})
    if field == "#reference":
        expect(studio.references).to_have_count(1)
    else:
        expect(page).not_to_have_url(before)
    expect(bar).to_be_hidden()
    expect(page.get_by_label(name, exact=True)).not_to_have_attribute("value", re.compile(""))


SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000}


def slow_network(studio: Studio) -> CDPSession:
    network = studio.page.context.new_cdp_session(studio.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    return network


def noise() -> FilePayload:
    """A PNG of about 300 kB."""
    file = io.BytesIO()
    Picture.effect_noise((600, 600), 90).save(file, "PNG")
    return {"name": "noise.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_several_files_dropped_on_the_empty_stage_are_a_source_and_references(studio: Studio) -> None:
    studio.page.goto(studio.url)
    studio.drop("body", picture("red"), picture("green"), picture("blue"))
    studio.expect_editing("the original")
    expect(studio.references).to_have_count(2)
    assert studio.download().getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("target", "shift", "references"),
    [("#stage", False, 0), ("#stage", True, 1), (".composer", False, 1)],
    ids=["stage", "shift", "composer"],
)
def test_the_drop_target_decides_the_role_of_a_file(
    studio: Studio, target: str, shift: bool, references: int
) -> None:
    before = studio.page.url
    studio.drop(target, picture("red"), shift=shift)
    expect(studio.references).to_have_count(references)
    if references:
        assert studio.page.url == before
    else:
        expect(studio.page).not_to_have_url(before)


def test_an_image_is_pasted_from_the_clipboard(studio: Studio) -> None:
    studio.page.goto(studio.url)
    studio.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio.page.evaluate(
        """async () => {
            const sheet = new OffscreenCanvas(96, 64);
            sheet.getContext("2d").fillRect(0, 0, 96, 64);
            const blob = await sheet.convertToBlob({ type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }"""
    )
    studio.prompt.press("Control+V")
    studio.expect_editing("the original")
    studio.prompt.press("Control+V")
    expect(studio.references).to_have_count(1)
    expect(studio.prompt).to_have_value("")


def test_references_can_be_reordered_and_run_in_that_order(studio: Studio) -> None:
    for colour in ("red", "lime", "blue"):
        studio.drop(".composer", picture(colour))
    expect(studio.references).to_have_count(3)
    given = [field.input_value() for field in studio.page.locator("#references [name=images]").all()]
    expect(studio.references.first.get_by_role("button", name="Move earlier")).to_be_hidden()
    last = studio.references.last.get_by_role("button", name="Move earlier")
    last.focus()
    studio.page.keyboard.press("Enter")
    expect(studio.references.nth(1).get_by_role("button", name="Move earlier")).to_be_focused()
    studio.page.keyboard.press("Enter")
    studio.references.nth(1).get_by_role("button", name="Remove").click()
    expect(studio.references).to_have_count(2)

    studio.choose_model("FLUX.2 [pro]")
    studio.edit("put image 2 onto image 1 at the bottom right", becomes="v2")
    rows = studio.portal.query(
        "SELECT image_id::text FROM editor_jobimage WHERE role = 'reference' AND job_id ="
        " (SELECT id FROM editor_job ORDER BY created_at DESC LIMIT 1) ORDER BY position"
    )
    assert [row[0] for row in rows] == [given[2], given[1]]
    width, height = studio.download().size
    red, green, blue = studio.download().getpixel((width - 150, height - 90))  # type: ignore[misc]
    assert blue > 200 > max(red, green)


def test_a_prompt_alone_makes_an_image(studio: Studio) -> None:
    studio.page.goto(studio.url)
    expect(studio.page.get_by_text("just write a prompt")).to_be_visible()
    studio.run("a quiet harbour at dawn")
    studio.expect_editing("v1")
    expect(studio.view("Image")).to_be_checked()


def test_a_photograph_can_be_edited_on_a_phone(phone: Studio) -> None:
    phone.page.get_by_role("navigation", name="Versions").get_by_role("button", name="New image").click()
    phone.page.locator("#reference").set_input_files(PHOTO)
    expect(phone.references).to_have_count(1)
    phone.page.get_by_role("button", name="Remove this reference image").tap()
    expect(phone.references).to_have_count(0)
