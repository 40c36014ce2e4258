"""Webhooks in the browser and over HTTP: created, verified, resent, and not lost in a crash."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from standardwebhooks import Webhook

from tests import ask
from tests.e2e.api import open_spaces
from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.seed_client import BASE
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, sign_in
from tests.emulators.receiver import Receiver
from tests.patience import wait_until

EMAIL = "amara@example.test"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


@pytest.fixture(scope="module")
def shared(portals: Path) -> Iterator[Portal]:
    """One portal that may call receivers on this machine, with one user in one workspace."""
    folder = portals / "webhooks"
    folder.mkdir()
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8")
    portal.start()
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def key(shared: Portal) -> str:
    return open_spaces(shared, {"acme": {"workspace": "Acme Studio"}})["acme"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def open_page(page: Page, portal: Portal) -> Page:
    """The Webhooks page, without any endpoints and deliveries."""
    portal.query("DELETE FROM editor_webhookdelivery RETURNING id")
    portal.query("DELETE FROM editor_webhookendpoint RETURNING id")
    sign_in(page, portal, EMAIL)
    page.goto(f"{portal.url}/w/acme-studio/settings/webhooks/")
    return page


def add(page: Page, url: str) -> str:
    """Add an endpoint for all events and return its secret."""
    page.get_by_role("button", name="Add endpoint").click()
    page.get_by_label("URL").fill(url)
    page.get_by_role("dialog").get_by_role("button", name="Add endpoint").click()
    expect(page.get_by_role("heading", name="Signing secret")).to_be_visible()
    secret = page.locator("#made-key-text").inner_text()
    page.get_by_role("button", name="I have saved it").click()
    expect(page.locator("#made-key-text")).to_have_count(0)
    return secret


def delivery(page: Page, event: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=event))


def edit(portal: Portal, key: str, **fields: Any) -> dict[str, Any]:
    answer = ask.post(
        f"{portal.url}{BASE}/process",
        headers={"authorization": f"Bearer {key}"},
        json={"prompt": "a quiet harbour", "model_tier": "standard", **fields},
    )
    assert answer.status_code in (201, 202), answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_an_endpoint_receives_an_edit_that_the_library_verifies(
    shared: Portal, key: str, receiver: Receiver, new_context: ContextMaker
) -> None:
    page = open_page(new_context(), shared)
    expect(page.get_by_text("No endpoints yet")).to_be_visible()
    secret = add(page, receiver.url)
    job = edit(shared, key)
    headers, body = receiver.wait(1)[0]
    reported = Webhook(secret).verify(body, headers)
    assert reported["data"]["job_id"] == job["job_id"]
    assert ask.get(reported["data"]["result_url"]).status_code == 200
    page.reload()
    expect(delivery(page, "job.completed")).to_contain_text("Delivered")
    assert secret not in page.content()


def test_a_failed_test_is_shown_without_a_reload_and_can_be_resent(
    shared: Portal, key: str, receiver: Receiver, new_context: ContextMaker
) -> None:
    page = open_page(new_context(), shared)
    secret = add(page, receiver.url)
    receiver.answers = [500]
    page.get_by_role("button", name=re.compile("^Send a test")).click()
    row = delivery(page, "webhook.test")
    # The retry comes by itself five seconds later.
    expect(row).to_contain_text("Delivered")
    row.get_by_text("2 attempts").click()
    expect(row).to_contain_text("It responded with 500.")
    row.get_by_role("button", name=re.compile("^Resend ")).click()
    receiver.wait(3)
    expect(row).to_contain_text("3 attempts")
    for headers, body in receiver.got:
        assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


def test_an_endpoint_gets_a_new_secret_is_disabled_and_is_deleted(
    shared: Portal, key: str, receiver: Receiver, new_context: ContextMaker
) -> None:
    page = open_page(new_context(), shared)
    first = add(page, receiver.url)
    page.get_by_role("button", name=re.compile("^Change")).click()
    page.get_by_role("dialog").get_by_role("button", name="New secret").click()
    page.get_by_role("dialog", name="Create a new").get_by_role("button", name="Create secret").click()
    expect(page.get_by_role("heading", name="Signing secret")).to_be_visible()
    assert page.locator("#made-key-text").inner_text() != first
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name=re.compile("^Change")).click()
    page.get_by_role("dialog").get_by_label("Enabled").uncheck()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#endpoints")).to_contain_text("Disabled")
    edit(shared, key)
    page.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete endpoint").click()
    expect(page.get_by_text("No endpoints yet")).to_be_visible()
    assert receiver.got == []


def test_low_credits_are_reported(
    shared: Portal, key: str, receiver: Receiver, new_context: ContextMaker
) -> None:
    shared.bootstrap(email=EMAIL, workspace="Acme Studio", credits=30)
    page = open_page(new_context(), shared)
    secret = add(page, receiver.url)
    page.get_by_label("Low-balance alert threshold").fill("30")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#say")).to_have_text("Alert threshold saved.")
    edit(shared, key)
    edit(shared, key)
    reported = [Webhook(secret).verify(body, headers) for headers, body in receiver.wait(3)]
    low = [message["data"] for message in reported if message["type"] == "credits.low"]
    assert low == [{"balance": 26, "low_mark": 30}]
    shared.bootstrap(email=EMAIL, workspace="Acme Studio", credits=5_000)


def test_a_call_of_the_api_can_have_a_webhook_url(shared: Portal, key: str, receiver: Receiver) -> None:
    job = edit(shared, key, webhook_url=receiver.url, webhook_secret=SECRET, **{"async": True})
    headers, body = receiver.wait(1)[0]
    reported = Webhook(SECRET).verify(body, headers)
    assert (reported["type"], reported["data"]["job_id"]) == ("job.completed", job["job_id"])
    refused = ask.post(
        f"{shared.url}{BASE}/process",
        headers={"authorization": f"Bearer {key}"},
        json={"prompt": "x", "model_tier": "standard", "webhook_url": "https://10.0.0.1/"},
    )
    assert refused.status_code == 400
    assert "cannot be used" in refused.json()["error"]
    short = ask.post(
        f"{shared.url}{BASE}/process",
        headers={"authorization": f"Bearer {key}"},
        json={
            "prompt": "x",
            "model_tier": "standard",
            "webhook_url": receiver.url,
            "webhook_secret": "whsec_c2hvcnQ=",
        },
    )
    assert short.status_code == 400
    assert "webhook_secret" in short.json()["fields"]


def test_no_callback_is_lost_when_the_portal_is_killed(portals: Path) -> None:
    """The receiver is down and the portal is killed and restarted: the callback arrives afterwards."""
    folder = portals / "webhooks-killed"
    folder.mkdir()
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8")
    portal.start()
    away = Receiver()
    with away:
        url = away.url
    try:
        key = open_spaces(portal, {"acme": {"workspace": "Acme Studio"}})["acme"]
        job = edit(portal, key, webhook_url=url, webhook_secret=SECRET)
        portal.kill()
        with away:
            portal.start()
            wait_until(lambda: away.got)
            headers, body = away.wait(1)[0]
        assert Webhook(SECRET).verify(body, headers)["data"]["job_id"] == job["job_id"]
    finally:
        portal.remove()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_has_no_layout_or_accessibility_problems(
    shared: Portal, key: str, receiver: Receiver, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = open_page(new_context(**size, color_scheme=theme), shared)
    assert_in_order(page, "empty")
    page.get_by_role("button", name="Add endpoint").click()
    page.get_by_label("URL").fill("https://10.0.0.1/")
    page.get_by_role("dialog").get_by_role("button", name="Add endpoint").click()
    expect(page.locator("#webhook-problem")).to_contain_text("private networks")
    assert_in_order(page, "refused")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    add(page, receiver.url + "?" + "long" * 40)
    page.get_by_role("button", name=re.compile("^Send a test")).click()
    expect(delivery(page, "webhook.test")).to_contain_text("Delivered")
    assert_in_order(page, "an endpoint")
    page.get_by_role("button", name=re.compile("^Change")).click()
    assert_in_order(page, "changing")
