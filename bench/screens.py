"""Screenshots of the pages in their states: `make screens`, into .cache/screens or the folder OUT.

The states are created as users create them: by signing in and letting the built-in sandbox edit the
bundled photographs. Only past events are moved to their time in the database.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from bench.portal import DESKTOP, OWNER, PHONE, SLUG, WORKSPACE, chromium, running_portal, sign_in
from bench.scene import SAMPLES, fill_gallery, set_credits
from tests.e2e.portal import PASSWORD, ROOT, Portal

STUDIO = f"/w/{SLUG}/"
GALLERY = f"/w/{SLUG}/gallery/"
API_KEYS = f"/w/{SLUG}/settings/api-keys/"
REFERENCE = f"/w/{SLUG}/api/"

RUN = re.compile("^Run")
_PATIENCE = 30_000  # milliseconds

# Visible images have loaded, and animations have ended, except endless ones and those that wait for
# seconds (a toast). At most three seconds: an image that is never scrolled to never loads.
_AT_REST = """() => {
  const inSight = (image) => image.checkVisibility() && image.getBoundingClientRect().top < innerHeight;
  const moving = (one) => one.playState === "running" && one.effect.getComputedTiming().endTime < 2000;
  return Promise.race([
    new Promise((resolve) => setTimeout(resolve, 3000)),
    Promise.allSettled([
      document.fonts.ready,
      ...[...document.images].filter(inSight).map((image) => image.decode()),
      ...document.getAnimations().filter(moving).map((one) => one.finished),
    ]),
  ]);
}"""


class Photographer:
    """Takes screenshots of one portal's pages, each page in its own browser."""

    def __init__(self, portal: Portal, browser: Browser, folder: Path) -> None:
        self.portal = portal
        self.browser = browser
        self.folder = folder

    def page(self, path: str, *, phone: bool = False, dark: bool = False, signed_in: bool = True) -> Page:
        """A page in a new browser."""
        options = (PHONE if phone else DESKTOP) | {"color_scheme": "dark" if dark else "light"}
        context = self.browser.new_context(**options)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        if signed_in:
            sign_in(page, self.portal)
        page.goto(f"{self.portal.url}{path}")
        return page

    def shoot(self, page: Page, name: str) -> None:
        page.evaluate(_AT_REST)
        page.screenshot(path=self.folder / f"{name}.png")
        sys.stderr.write(f"==> {name}.png\n")


def main() -> None:
    folder = Path(os.environ.get("OUT", ROOT / ".cache" / "screens"))
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=_PATIENCE)
    with running_portal() as portal, chromium() as browser:
        photographer = Photographer(portal, browser, folder)
        shoot_entrance(photographer)
        fill_gallery(portal)
        set_credits(portal)
        shoot_keys(photographer)
        shoot_gallery(photographer)
        shoot_api_reference(photographer)
        shoot_empty_studio(photographer)
        tree = make_coffee_tree(photographer)
        set_credits(portal)
        shoot_result(photographer, tree)
        shoot_running(photographer, tree)


def shoot_entrance(photographer: Photographer) -> None:
    """The first start, which also creates the owner and the workspace; then the sign-in."""
    page = photographer.page("/", signed_in=False)
    photographer.shoot(page, "welcome-d")
    page.get_by_label("Your name").fill("Amara Okafor")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Workspace name").fill(WORKSPACE)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect a model provider")).to_be_visible()
    photographer.shoot(page, "onboarding-d")
    page.get_by_role("button", name="Skip: use the built-in sandbox").click()
    page.get_by_role("button", name="Continue to the first edit").click()
    expect(page.get_by_role("button", name=RUN)).to_be_visible()
    photographer.shoot(photographer.page("/accounts/login/", signed_in=False), "login-d")


def shoot_keys(photographer: Photographer) -> None:
    """Three keys, two of them used; the newest while it is shown, then the list."""
    page = photographer.page(API_KEYS)
    _make_key(page, "Grafana", "image_editor:read")
    _make_key(page, "Website backend", "image_editor:write", "image_editor:read")
    used = "UPDATE editor_apikey SET last_used_at = now() - %s::interval WHERE name = %s RETURNING id"
    photographer.portal.query(used, "1 day", "Grafana")
    photographer.portal.query(used, "2 minutes", "Website backend")
    page.reload()
    _make_key(page, "CI pipeline", "image_editor:write", "image_editor:read", leave=False)
    photographer.shoot(page, "key-created-d")
    photographer.shoot(photographer.page(API_KEYS), "set-keys-d")
    photographer.shoot(photographer.page(API_KEYS, dark=True), "set-keys-d-dark")
    phone = photographer.page(API_KEYS, phone=True)
    phone.locator("#api-keys").evaluate("(list) => list.scrollIntoView()")
    photographer.shoot(phone, "set-keys-p")


def _make_key(page: Page, name: str, *scopes: str, leave: bool = True) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Full access to the Image Editor API").uncheck()
    for scope in scopes:
        page.get_by_label(scope).check()
    page.get_by_role("button", name="Create key").click()
    saved = page.get_by_role("button", name="I have saved it")
    expect(saved).to_be_visible()
    if leave:
        saved.click()


def shoot_gallery(photographer: Photographer) -> None:
    page = photographer.page(GALLERY)
    photographer.shoot(page, "gallery-d")
    page.get_by_role("link", name=re.compile("pencil sketch")).first.click()
    expect(page.get_by_role("dialog").get_by_role("link", name="Edit again")).to_be_visible()
    photographer.shoot(page, "lightbox-d")
    photographer.shoot(photographer.page(GALLERY, phone=True), "gallery-p")


def shoot_api_reference(photographer: Photographer) -> None:
    photographer.shoot(photographer.page(f"{REFERENCE}#call-process"), "docs-d")


def shoot_empty_studio(photographer: Photographer) -> None:
    photographer.shoot(photographer.page(STUDIO), "studio-empty-d")
    photographer.shoot(photographer.page(STUDIO, phone=True), "studio-empty-p")


def make_coffee_tree(photographer: Photographer) -> list[str]:
    """A photograph, two edits in a row, and a branch; returns the paths of their pages in this order."""
    page = photographer.page(STUDIO)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose image").first.click()
    chooser.value.set_files(SAMPLES / "coffee.jpg")
    expect(page.get_by_text("Editing the original")).to_be_visible()
    original = _path(page)
    v2 = _edit(page, "Make it slightly warmer, slightly more vivid", version=2)
    v3 = _edit(page, "As a gouache painting", version=3)
    page.goto(f"{photographer.portal.url}{v2}")
    v4 = _edit(page, "Turn red into #12a98c, turn orange into #2aa5b8", version=4)
    return [original, v2, v3, v4]


def shoot_result(photographer: Photographer, tree: list[str]) -> None:
    """The branch on stage: compared by day and by night, masked, and on a phone behind the options."""
    page = photographer.page(tree[3])
    photographer.shoot(page, "studio-result-d")
    photographer.shoot(photographer.page(tree[3], dark=True), "studio-result-d-dark")

    page.get_by_role("radio", name="Mask").check(force=True)
    _paint(page)
    photographer.shoot(page, "studio-mask-d")

    phone = photographer.page(tree[3], phone=True)
    phone.get_by_role("button", name="Options", exact=True).click()
    expect(phone.get_by_role("heading", name="Options")).to_be_visible()
    photographer.shoot(phone, "studio-options-p")


def shoot_running(photographer: Photographer, tree: list[str]) -> None:
    """A running edit: on a desktop, and on a phone just after another one ended."""
    page = photographer.page(tree[2])
    _run_slowly(photographer.portal, page, "Turn red into blue")
    photographer.shoot(page, "studio-running-d")
    _cancel(page)

    phone = photographer.page(tree[2], phone=True, dark=True)
    _start(phone, "As a pencil sketch")
    expect(phone.get_by_role("region", name="Notifications").get_by_text("Edit ready")).to_be_visible()
    _run_slowly(photographer.portal, phone, "Turn red into blue")
    photographer.shoot(phone, "studio-running-p-dark")
    _cancel(phone)


def _start(page: Page, prompt: str) -> None:
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_role("button", name=RUN).click()


def _edit(page: Page, prompt: str, *, version: int) -> str:
    """Edit the image on stage; returns the path of the result's page."""
    _start(page, prompt)
    expect(page.get_by_text(f"Editing v{version}")).to_be_visible()
    # The URL follows the stage a moment later.
    current = page.get_by_role("navigation", name="Versions").locator("[aria-current]").first
    expect(current).to_contain_text(f"v{version}")
    page.wait_for_url(f"**{current.get_attribute('href')}")
    return _path(page)


def _run_slowly(portal: Portal, page: Page, prompt: str) -> None:
    """Run an edit and wait until it is half done. The word that makes it slow is not shown."""
    _start(page, f"[slow:6] {prompt}")
    expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
    portal.query(
        "UPDATE editor_job SET prompt = %s WHERE status IN ('pending', 'processing') RETURNING id", prompt
    )
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_label("What should change?").blur()
    expect(page.get_by_text(re.compile(r"Generating [3-6]\d%"))).to_be_visible()


def _cancel(page: Page) -> None:
    cancel = page.get_by_role("button", name=re.compile("^Cancel"))
    cancel.click()
    expect(cancel).to_have_count(0)


def _paint(page: Page) -> None:
    """Paint a zigzag over the middle of the image, with a large brush."""
    page.get_by_role("slider", name="Brush size").fill("100")
    box = page.locator("mask-painter canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.40, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    for across, down in ((0.60, 0.25), (0.40, 0.38), (0.60, 0.38), (0.42, 0.52), (0.58, 0.52)):
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down, steps=8)
    page.mouse.up()


def _path(page: Page) -> str:
    return urlsplit(page.url).path


if __name__ == "__main__":
    main()
