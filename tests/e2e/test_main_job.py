"""The main flow in the browser: first start, upload, prompt, Run, result, and another edit."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pytest
from PIL import Image as Picture
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import LASTING, PASSWORD, Portal
from tests.patience import wait_until

PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "coffee.jpg"
PROMPT = 'make it black and white and add the text "SOLD" at the bottom'


def first_start(page: Page, portal: Portal) -> None:
    page.goto(portal.url)
    page.get_by_label("Your name").fill("Amara Okafor")
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Workspace name").fill("Acme Studio")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Skip: use the built-in sandbox").click()
    page.get_by_role("button", name="Continue to the first edit").click()
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_be_visible()


def sign_in(page: Page, portal: Portal, email: str) -> None:
    page.goto(portal.url)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_be_visible()


def wait_on(page: Page, come: Callable[[], object]) -> None:
    """Wait for an effect of the page's own events."""
    wait_until(come, pause=lambda seconds: page.wait_for_timeout(1000 * seconds))


def balance(page: Page) -> int:
    return int(page.locator("#balance").inner_text().replace(",", ""))


def shown_price(page: Page) -> int:
    found = re.search(r"(\d+) credit", page.get_by_role("button", name=re.compile("^Run")).inner_text())
    assert found
    return int(found[1])


def versions(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="Versions").locator(".node b").all_inner_texts()


def download(page: Page) -> Picture.Image:
    link = page.get_by_role("link", name="Download").get_attribute("href")
    response = page.request.get(urljoin(page.url, link))
    assert response.ok
    return Picture.open(io.BytesIO(response.body())).convert("RGB")


def assert_grey(picture: Picture.Image) -> None:
    red, green, blue = picture.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def assert_bears_text_at_the_bottom(picture: Picture.Image, plain: Picture.Image) -> None:
    """The bottom fifth differs strongly from the same edit without text; the top half does not."""
    from PIL import ImageChops

    difference = ImageChops.difference(picture.convert("L"), plain.convert("L"))
    width, height = difference.size
    strong = difference.point(lambda value: 255 if value > 60 else 0)
    bottom = strong.crop((0, height * 7 // 10, width, height)).histogram()[255]
    top = strong.crop((0, 0, width, height // 2)).histogram()[255]
    assert bottom > width * height // 300
    assert top < bottom // 20


def test_edit_a_photograph_end_to_end(portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    first_start(page, portal)
    portal.bootstrap(email="jonas@example.test", workspace="Acme Studio", credits=500)
    other = new_context()
    sign_in(other, portal, "jonas@example.test")

    # Upload a photograph.
    page.goto(f"{portal.url}/w/acme-studio/")
    page.locator("#file").set_input_files(PHOTO)
    expect(page.get_by_text("Editing the original")).to_be_visible()
    other.goto(page.url if "/v/" in page.url else f"{portal.url}{_current_path(page)}")
    before = balance(page)
    price = shown_price(page)

    # Enter a prompt, press Ctrl+Enter, and follow the timeline as it updates.
    steps: list[str] = []

    def record(step: str) -> None:
        steps.append(step)

    page.expose_function("recordStep", record)
    page.evaluate(
        """() => new MutationObserver(() => {
            const now = document.querySelector('#jobs [aria-current=step]');
            if (now) window.recordStep(now.innerText.trim());
        }).observe(
            document.querySelector('#jobs'),
            {childList: true, subtree: true, characterData: true, attributes: true}
        )"""
    )
    prompt = page.get_by_label("What should change?")
    prompt.fill(f"{LASTING} {PROMPT}")
    prompt.press("Control+Enter")
    wait_on(page, lambda: len({step for step in steps if step.startswith("Generating")}) >= 2)
    page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(page.locator("#balance")).to_have_text(f"{before:,}")
    prompt.fill(PROMPT)
    prompt.press("Control+Enter")
    expect(page.get_by_role("radio", name="Compare")).to_be_visible()
    expect(page.locator("#balance")).to_have_text(f"{before - price:,}")

    result = download(page)
    assert_grey(result)
    plain = Picture.open(PHOTO).convert("L").convert("RGB")
    assert result.size == plain.size
    assert_bears_text_at_the_bottom(result, plain)

    # Edit again from the result.
    expect(page.get_by_text("Editing v2")).to_be_visible()
    prompt.fill("add a white border")
    page.get_by_role("button", name=re.compile("^Run")).click()
    expect(page.get_by_text("Editing v3")).to_be_visible()
    expect(page.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(3)
    assert versions(page) == ["Original", "v2", "v3"]
    expect(page.locator("#balance")).to_have_text(f"{before - 2 * price:,}")

    # The other member saw both arrive without a reload.
    expect(other.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(3)
    expect(other.locator("#balance")).to_have_text(f"{before - 2 * price:,}")
    rows = portal.query("SELECT sum(amount), sum(held_amount) FROM editor_ledgerentry")
    assert rows == [(before - 2 * price, 0)]


def _current_path(page: Page) -> str:
    link = page.get_by_role("navigation", name="Versions").get_by_role("link").first
    return link.get_attribute("href") or ""


def test_canceling_refunds_and_shows_it(portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    first_start(page, portal)
    before = balance(page)
    page.get_by_label("What should change?").fill(f"{LASTING} make it warmer")
    page.get_by_role("button", name=re.compile("^Run")).click()
    cancel = page.get_by_role("button", name=re.compile("^Cancel"))
    expect(page.locator("#balance")).not_to_have_text(f"{before:,}")
    cancel.click()
    expect(cancel).to_have_count(0)
    expect(page.locator("#balance")).to_have_text(f"{before:,}")
    assert portal.query("SELECT status, charged FROM editor_job") == [("canceled", 0)]


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("make it fly to the moon", "fly to the moon"),
        ("[moderate] make it warmer", "withheld"),
    ],
)
def test_a_failure_shows_its_reason_and_its_cost(
    portal: Portal, new_context: ContextMaker, prompt: str, says: str
) -> None:
    page = new_context()
    first_start(page, portal)
    before = balance(page)
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_role("button", name=re.compile("^Run")).click()
    alert = page.locator(".composer").get_by_role("alert")
    expect(alert).to_contain_text(re.compile(says, re.IGNORECASE))
    expect(alert).to_contain_text("Nothing was charged: 4 credits refunded.")
    expect(page.locator("#balance")).to_have_text(f"{before:,}")
    expect(page.get_by_role("region", name="Notifications")).to_be_empty()
    page.reload()
    expect(alert).to_contain_text(re.compile(says, re.IGNORECASE))
    page.get_by_label("What should change?").fill("make it black and white")
    page.get_by_role("button", name=re.compile("^Run")).click()
    expect(alert).to_have_count(0)


def test_an_empty_prompt_shows_an_error_beside_it(portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    first_start(page, portal)
    page.get_by_label("What should change?").fill("")
    page.get_by_role("button", name=re.compile("^Run")).click()
    expect(page.locator("#prompt-error")).to_contain_text("Describe what")
    assert portal.query("SELECT count(*) FROM editor_job") == [(0,)]


def test_a_late_socket_script_still_connects(portal: Portal, new_context: ContextMaker) -> None:
    """htmx must not start before its WebSocket extension is loaded, however slowly that loads."""
    page = new_context()
    first_start(page, portal)
    held: list[Route] = []
    page.route(re.compile(r"hx-ws.*\.js"), lambda route: held.append(route))
    snapshots: list[object] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: snapshots.append(frame)))
    page.goto(f"{portal.url}/w/acme-studio/", wait_until="commit")
    wait_on(page, lambda: held and page.evaluate("document.readyState === 'interactive' && !!window.htmx"))
    held[0].continue_()
    wait_on(page, lambda: snapshots)
