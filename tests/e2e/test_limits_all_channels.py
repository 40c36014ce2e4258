"""200 simultaneous edits of one member through all six channels: as many run as the member's limit allows."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e import agent
from tests.e2e.api import EMAIL, STANDARD, Api, open_spaces
from tests.e2e.client import Client
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE, wait_until

ALLOWED, CALLS = 7, 200
PROMPT = "a quiet harbour"
MODEL = "black-forest-labs/flux-kontext-pro"
CHANNELS = ("web", "api", "bfl", "wiro", "openai", "mcp")
SLUG = "seven"
OF_SPACE = "(SELECT id FROM editor_workspace WHERE slug = %s)"

Call = Callable[[httpx.AsyncClient], Awaitable[bool]]


@pytest.fixture(scope="module")
def key(api: Api) -> str:
    """Of the owner of a workspace whose own limit is that of ALLOWED edits, and whose credits are for all."""
    space = {"workspace": "Seven", "credits": CALLS * STANDARD, "requests_per_minute": 10 * CALLS}
    key = open_spaces(api.portal, {"seven": {**space, "concurrent_jobs": CALLS}})["seven"]
    cap = f"UPDATE editor_membership SET monthly_cap = %s WHERE workspace_id = {OF_SPACE} RETURNING id"
    assert api.portal.query(cap, ALLOWED * STANDARD + STANDARD - 1, SLUG)
    return key


def over_limit(text: str) -> bool:
    return "Your limit in this workspace is 31 credits a month, and 28 are used" in text


def calls(api: Api, key: str, person: Client) -> dict[str, Call]:
    """One edit in each channel: True if it was accepted, False if the limit did not allow it."""
    page = person.studio()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    cookies, bearer = dict(person.http.cookies), {"authorization": f"Bearer {key}"}

    async def web(http: httpx.AsyncClient) -> bool:
        form = {"csrfmiddlewaretoken": token[1], "prompt": PROMPT, "tier": "standard"}
        answer = await http.post(f"/w/{SLUG}/run/", data=form, headers={"cookie": _cookie(cookies)})
        return _accepted(answer, 302, 402)

    async def public(http: httpx.AsyncClient) -> bool:
        body = {"prompt": PROMPT, "model_tier": "standard", "async": True}
        answer = await http.post(f"{BASE}/process", json=body, headers=bearer)
        if answer.status_code == 402:
            assert (answer.json()["limit"], answer.json()["remaining"]) == ("member_month", STANDARD - 1)
        return _accepted(answer, 202, 402)

    async def bfl(http: httpx.AsyncClient) -> bool:
        answer = await http.post("/v1/flux-kontext-pro", json={"prompt": PROMPT}, headers={"x-key": key})
        return _accepted(answer, 200, 402)

    async def wiro(http: httpx.AsyncClient) -> bool:
        answer = await http.post(f"/v1/Run/{MODEL}", data={"prompt": PROMPT}, headers={"x-api-key": key})
        errors = answer.json()["errors"]
        assert not errors or over_limit(answer.text), answer.text
        return not errors

    async def openai(http: httpx.AsyncClient) -> bool:
        body = {"prompt": PROMPT, "model": MODEL}
        answer = await http.post("/v1/images/generations", json=body, headers=bearer)
        return _accepted(answer, 200, 429)

    async def mcp(http: httpx.AsyncClient) -> bool:
        result = await asyncio.to_thread(
            lambda: agent.call(api.portal.url, key, "edit_image", prompt=PROMPT, model_tier="standard")
        )
        if result.is_error:
            refused = agent.refusal(result)
            assert (refused["limit"], refused["remaining"]) == ("member_month", STANDARD - 1)
        return not result.is_error

    return dict(zip(CHANNELS, (web, public, bfl, wiro, openai, mcp), strict=True))


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _accepted(answer: httpx.Response, accepted: int, refused: int) -> bool:
    assert answer.status_code in (accepted, refused), answer.text
    assert answer.status_code == accepted or over_limit(answer.text), answer.text
    return answer.status_code == accepted


def test_exactly_seven_of_200_simultaneous_edits_run(api: Api, key: str) -> None:
    person = Client(api.portal, email=EMAIL, slug=SLUG)
    through = calls(api, key, person)

    async def all_at_once() -> list[tuple[str, bool]]:
        unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=api.portal.url, limits=unlimited, timeout=2 * PATIENCE) as http:

            async def one(channel: str) -> tuple[str, bool]:
                return channel, await through[channel](http)

            channels = [CHANNELS[number % len(CHANNELS)] for number in range(CALLS)]
            return list(await asyncio.gather(*map(one, channels)))

    # In a separate thread: after browser tests, this one already has an event loop.
    with ThreadPoolExecutor(1) as thread:
        outcomes = thread.submit(asyncio.run, all_at_once()).result()
    person.http.close()
    assert Counter(channel for channel, _ in outcomes).keys() == set(CHANNELS)
    assert sum(accepted for _, accepted in outcomes) == ALLOWED

    rows = f"SELECT status, charged FROM editor_job WHERE workspace_id = {OF_SPACE}"
    wait_until(lambda: api.portal.query(rows, SLUG) == [("completed", STANDARD)] * ALLOWED)
    account = f"SELECT balance, held FROM editor_creditaccount WHERE workspace_id = {OF_SPACE}"
    assert api.portal.query(account, SLUG) == [((CALLS - ALLOWED) * STANDARD, 0)]
    sums = f"SELECT sum(credits) FROM editor_dailyusage WHERE account_id = {OF_SPACE}"
    assert api.portal.query(sums, SLUG) == [(ALLOWED * STANDARD,)]
