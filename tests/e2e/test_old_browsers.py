"""Buttons that name their command work where the browser does not know commands."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import Studio

# As in Safari before 26.2 and in WebKitGTK.
NO_COMMANDS = """
    delete HTMLButtonElement.prototype.command;
    delete HTMLButtonElement.prototype.commandForElement;
    delete window.CommandEvent;
"""


def test_buttons_with_commands_work_without_the_browsers_support(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    page.add_init_script(NO_COMMANDS)
    studio = Studio(page, common_portal).begin()
    assert not page.evaluate("CommandEvent.toString().includes('[native code]')")
    with page.expect_file_chooser():
        page.get_by_role("button", name="New image").first.click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("group", name="Ideas").get_by_role("button").first.click()
    expect(studio.prompt).not_to_have_value("")
    studio.view("Mask").check(force=True)
    page.get_by_role("button", name="Invert mask").click()
    studio.edit("make it black and white", becomes="v2")
