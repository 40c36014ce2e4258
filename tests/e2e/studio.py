"""A user of the Studio: helpers for its tests."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin

from PIL import Image as Picture
from playwright.sync_api import JSHandle, Locator, Page, expect

from tests.e2e.portal import PASSWORD, Portal
from tests.patience import wait_until

PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "coffee.jpg"
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def picture(colour: str) -> bytes:
    """A small PNG of one colour."""
    file = io.BytesIO()
    Picture.new("RGB", (96, 64), colour).save(file, "PNG")
    return file.getvalue()


class Studio:
    def __init__(
        self, page: Page, portal: Portal, *, email: str = "amara@example.test", slug: str = "acme-studio"
    ) -> None:
        self.page = page
        self.portal = portal
        self.url = f"{portal.url}/w/{slug}/"
        page.goto(f"{portal.url}/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(self.url)

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_label("What should change?")

    @property
    def model_button(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("^Model "))

    def choose_model(self, name: str) -> None:
        self.model_button.click()
        self.page.get_by_role("dialog", name="Model").get_by_text(name, exact=True).click()

    @property
    def run_button(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("^Run"))

    @property
    def notices(self) -> Locator:
        return self.page.get_by_role("region", name="Notifications")

    @property
    def references(self) -> Locator:
        return self.page.get_by_role("group", name="Reference image")

    @property
    def versions(self) -> Locator:
        return self.page.get_by_role("navigation", name="Versions").get_by_role("link")

    def version(self, label: str) -> Locator:
        """Its link; the name goes on with the source of a branch, the prompt and the person."""
        return self.versions.and_(self.page.get_by_role("link", name=re.compile(f"^{label}[,:]")))

    def view(self, name: str) -> Locator:
        return self.page.get_by_role("radio", name=name, exact=True)

    def begin(self) -> Self:
        """Upload a photograph of this test's own."""
        self.page.goto(self.url)
        self.page.locator("#file").set_input_files(PHOTO)
        self.expect_editing("the original")
        return self

    def expect_editing(self, version: str) -> None:
        expect(self.page.get_by_text(f"Editing {version}", exact=True)).to_be_visible()

    def wait_until(
        self, come: Callable[[], object], otherwise: str | Callable[[], object] = "it did not come about"
    ) -> None:
        """Wait for an effect of the page's own events."""
        wait_until(come, otherwise, pause=lambda seconds: self.page.wait_for_timeout(1000 * seconds))

    def run(self, message: str) -> None:
        self.prompt.fill(message)
        self.prompt.press("Control+Enter")

    def edit(self, message: str, *, becomes: str) -> None:
        """Run, and wait until the result is on stage and in the rail, which is fetched after it."""
        self.run(message)
        self.expect_editing(becomes)
        expect(self.version(becomes)).to_have_count(1)

    def download(self) -> Picture.Image:
        link = self.page.get_by_role("link", name="Download").get_attribute("href")
        response = self.page.request.get(urljoin(self.page.url, link))
        assert response.ok
        return Picture.open(io.BytesIO(response.body())).convert("RGB")

    def carry(self, *files: bytes, content_type: str = "image/png") -> JSHandle:
        """A DataTransfer with these files, as of a drag or the clipboard."""
        return self.page.evaluate_handle(
            """([files, type]) => {
                const carrier = new DataTransfer();
                for (const file of files) {
                    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
                    carrier.items.add(new File([bytes], "picture.png", { type }));
                }
                return carrier;
            }""",
            [[base64.b64encode(file).decode() for file in files], content_type],
        )

    def drop(self, target: str, *files: bytes, shift: bool = False) -> None:
        event = {"dataTransfer": self.carry(*files), "shiftKey": shift}
        self.page.dispatch_event(target, "dragover", event)
        self.page.dispatch_event(target, "drop", event)

    def hide(self) -> None:
        """Simulate a switch to another tab."""
        self._visible(False)

    def show(self) -> None:
        self._visible(True)

    def _visible(self, yes: bool) -> None:
        self.page.evaluate(
            """(yes) => {
                Object.defineProperty(document, "hidden", { value: !yes, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            yes,
        )
