"""Live updates of the Studio: a dead server, a hidden tab, back navigation, a lost membership."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.client import Client
from tests.e2e.conftest import ContextMaker, launch
from tests.e2e.portal import Portal
from tests.e2e.studio import PHONE, Studio
from tests.patience import wait_until

LOST = "Connection lost"
BROKEN_CONNECTION = (
    "ERR_CONNECTION_REFUSED",
    "WebSocket connection",
    "ERR_CONNECTION_RESET",
    "Failed to fetch",
    "Failed to send",
    "ws:error",
)


def mark(page: Page) -> None:
    page.evaluate("window.marked = true")


def is_marked(page: Page) -> bool:
    """False once the page was reloaded."""
    return bool(page.evaluate("window.marked === true"))


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_the_page_reconnects_to_a_restarted_server_and_keeps_the_input(
    portal: Portal, new_context: ContextMaker, size: dict[str, object]
) -> None:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    page = new_context(**size)
    studio = Studio(page, portal).begin()
    mark(page)
    studio.run("fly to the moon")
    expect(page.get_by_role("alert")).to_have_count(1)
    with portal.no_new_images():
        studio.run("make it black and white")
        expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        portal.kill()
    expect(page.get_by_text(LOST)).to_be_visible()
    studio.prompt.fill("and then add a white border")
    studio.prompt.press("Control+Enter")
    expect(page.locator("#prompt-error")).to_contain_text("may or may not have started")
    new_context.forgive(*BROKEN_CONNECTION)

    portal.start()
    expect(page.get_by_text(LOST)).to_be_hidden()
    studio.expect_editing("v2")
    expect(studio.prompt).to_have_value("and then add a white border")
    expect(page.locator("#jobs article")).to_have_count(0)
    expect(page.locator("#balance")).to_have_text("96")
    expect(page.get_by_role("alert")).to_have_count(0)  # the next run has cleared it
    studio.prompt.press("Control+Enter")
    studio.expect_editing("v3")
    assert is_marked(page)
    new_context.forgive(*BROKEN_CONNECTION)


def test_the_stage_stays_after_a_reconnect(studio: Studio) -> None:
    """The user went back to the source of a finished edit whose end was already reported."""
    page = studio.page
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile("/ws/"), pass_on)
    page.reload()
    studio.edit("make it warmer", becomes="v2")
    studio.version("Original").click()
    studio.expect_editing("the original")
    # Each snapshot requests the rail.
    with page.expect_response(lambda response: "/rail/" in response.url and len(sockets) == 2):
        sockets[0].close(code=1012)
    studio.expect_editing("the original")


def test_a_hidden_tab_shows_ready_in_its_title_until_it_is_visible(studio: Studio) -> None:
    with studio.portal.no_new_images():
        studio.run("make it warmer")
        studio.hide()
    expect(studio.page).to_have_title("Ready · Studio")
    studio.show()
    expect(studio.page).to_have_title(re.compile("^Studio · "))
    studio.edit("add a white border", becomes="v3")
    expect(studio.page).to_have_title(re.compile("^Studio · "))


def test_only_a_long_edit_shows_a_browser_notification(studio: Studio) -> None:
    page = studio.page
    page.context.grant_permissions(["notifications"])
    page.add_init_script(
        """window.notified = [];
        const Real = Notification;
        window.Notification = class {
            static requestPermission() { return Real.requestPermission(); }
            constructor(words) { window.notified.push(words); }
        };"""
    )
    page.reload()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("checkbox", name="Browser notifications").check()
    page.keyboard.press("Escape")
    # However long they take here, the first has just started, and the second started a minute ago.
    begins = (
        "UPDATE editor_job SET created_at = now() + %s * interval '1 minute' "
        "WHERE prompt = %s AND status = 'processing' RETURNING id"
    )
    with studio.portal.no_new_images():
        studio.run("make it a little warmer")
        wait_until(lambda: studio.portal.query(begins, 1, "make it a little warmer"))
        studio.hide()
    studio.expect_editing("v2")
    studio.show()
    with studio.portal.no_new_images():
        studio.run("add a white border")
        studio.hide()
        wait_until(lambda: studio.portal.query(begins, -1, "add a white border"))
    expect(page).to_have_title("Ready · Studio")
    reported = page.evaluate("notified")
    assert len(reported) == 1, "only the long one is worth it"
    assert "add a white border" in reported[0]


def test_notifications_stay_off_without_permission(studio: Studio) -> None:
    studio.page.evaluate("Notification.requestPermission = async () => 'denied'")
    studio.page.get_by_role("button", name="Keyboard shortcuts").click()
    studio.page.get_by_role("checkbox", name="Browser notifications").click()
    expect(studio.page.get_by_role("checkbox", name="Browser notifications")).not_to_be_checked()


def test_a_page_from_the_back_forward_cache_is_up_to_date(
    common_portal: Portal, browser: Browser, request: pytest.FixtureRequest
) -> None:
    chromium = launch(browser.browser_type, ignore_default_args=["--disable-back-forward-cache"])
    page = ContextMaker(chromium, request.node)()
    studio = Studio(page, common_portal).begin()
    mark(page)
    with common_portal.no_new_images():
        studio.run("make it warmer")
        expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        page.goto(f"{studio.url}credits/")
    live = "SELECT 1 FROM editor_job WHERE status IN ('pending', 'processing')"
    wait_until(lambda: not common_portal.query(live))  # it ends while the page is away
    page.go_back()
    expect(studio.versions).to_have_count(2)
    expect(page.locator("#jobs article")).to_have_count(0)
    studio.edit("add a white border", becomes="v3")
    chromium.close()


def test_a_removed_member_sees_a_message_and_the_page_stops_reconnecting(
    portal: Portal, new_context: ContextMaker
) -> None:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    portal.bootstrap(email="jonas@example.test", workspace="Acme Studio", credits=100)
    page = new_context()
    page.clock.install()
    Studio(page, portal, email="jonas@example.test").begin()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    portal.query(
        "DELETE FROM editor_membership WHERE user_id ="
        " (SELECT id FROM editor_user WHERE email = 'jonas@example.test') RETURNING 1"
    )
    amara = Client(portal, email="amara@example.test", slug="acme-studio")
    assert amara.run("a quiet harbour at dawn").status_code == 302
    amara.http.close()
    expect(page.get_by_text("You are no longer a member of this workspace.").first).to_be_visible()
    expect(page.locator("#live")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_have_count(0)
    page.clock.run_for(60_000)
    assert sockets == [], "it does not try again"
