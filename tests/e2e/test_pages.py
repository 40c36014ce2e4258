"""Every page and state in both themes and sizes: no findings of axe, no console errors, no overflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.patience import wait_until

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
RUN = re.compile("^Run")


@pytest.fixture(scope="module")
def shared(portals: Path) -> Iterator[Portal]:
    """One portal with an owner, an image, a result, a failure and a user without a workspace."""
    folder = portals / "pages"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=1234)
    portal.manage(
        "shell",
        "-c",
        "from editor.operations import workspaces;"
        f"workspaces.create_user(email='nobody@example.test', password={PASSWORD!r})",
    )
    yield portal
    portal.remove()


SETTLED = """async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    // Not those that are yet to come, as a notice's leaving, nor those without an end.
    const passing = document.getAnimations().filter((animation) => {
        const { progress, endTime } = animation.effect.getComputedTiming();
        return animation.playState === "running" && progress !== null && Number.isFinite(endTime);
    });
    return document.readyState === "complete" && !passing.length
        && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling");
}"""


def settle(page: Page) -> None:
    """Wait until the page is loaded, no requests are open, and transitions are over."""
    page.wait_for_load_state()
    wait_until(lambda: page.evaluate(SETTLED), pause=lambda seconds: page.wait_for_timeout(1000 * seconds))


def dismiss(page: Page) -> None:
    """Close the notices that are still shown."""
    notices = page.get_by_role("button", name="Dismiss")
    notices.evaluate_all("buttons => buttons.forEach((button) => button.click())")
    expect(notices).to_have_count(0)


def assert_in_order(page: Page, state: str) -> None:
    """Axe finds nothing, and nothing overflows horizontally."""
    settle(page)  # axe measures colours
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"):
        options["runOnly"] = ["color-contrast"]  # all else is the same in both themes
    found = Axe().run(page, options=options).response["violations"]
    reported = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert reported == [], f"{state}: {reported}"
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{state}: {wider} px too wide"


def sign_in(page: Page, portal: Portal, email: str) -> None:
    page.goto(f"{portal.url}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(w/.*)?$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_have_no_layout_or_accessibility_problems(
    shared: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere/"):
        page.goto(shared.url + path)
        assert_in_order(page, path)
    page.goto(f"{shared.url}/accounts/login/")
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong email or password")).to_be_visible()
    assert_in_order(page, "sign-in refused")

    sign_in(page, shared, "nobody@example.test")
    assert_in_order(page, "no workspace")
    page.context.clear_cookies()

    sign_in(page, shared, "amara@example.test")
    assert_in_order(page, "empty Studio")
    page.get_by_role("button", name="Coffee").click()
    expect(page.get_by_text("Editing the original")).to_be_visible()
    assert_in_order(page, "Studio with an image")
    page.get_by_label("What should change?").fill("turn this into a gouache painting")
    with shared.no_new_images():
        page.get_by_role("button", name=RUN).click()
        expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        assert_in_order(page, "running")
    expect(page.get_by_role("radio", name="Compare")).to_be_attached()
    assert_in_order(page, "result")
    dismiss(page)
    page.get_by_role("radio", name="Mask").check(force=True)
    assert_in_order(page, "mask")
    if size is PHONE:
        page.get_by_role("button", name="Options", exact=True).click()
        expect(page.get_by_role("heading", name="Options")).to_be_visible()
    page.get_by_text("Advanced").click()
    assert_in_order(page, "options")
    if size is PHONE:
        page.get_by_role("button", name="Close options").click()
    page.get_by_label("What should change?").fill("fly to the moon")
    page.get_by_role("button", name=RUN).click()
    expect(page.get_by_role("alert")).to_contain_text("does not understand")
    assert_in_order(page, "failure")
    page.get_by_role("button", name=re.compile("your account")).click()
    assert_in_order(page, "account menu")
    for path in ("credits/", "approvals/", "settings/general/", "settings/roles/", "api/guide/wiro/"):
        page.goto(f"{shared.url}/w/acme-studio/{path}")
        assert_in_order(page, path)
    page.get_by_role("button", name=re.compile("your account")).click()
    page.get_by_role("button", name="Dark" if theme == "light" else "Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark" if theme == "light" else "light")
    assert_in_order(page, "the other theme")


def test_the_first_start_has_no_layout_or_accessibility_problems(
    portal: Portal, new_context: ContextMaker
) -> None:
    for size in (DESKTOP, PHONE):
        page = new_context(**size)
        page.goto(portal.url)
        assert_in_order(page, "welcome")
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Password").fill("short")
    page.get_by_label("Workspace name").fill("Acme Studio")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("too short")).to_be_visible()
    assert_in_order(page, "welcome refused")
