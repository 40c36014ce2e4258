"""The gateway middleware: authentication, rate limits, errors, and headers of every response."""

from __future__ import annotations

import httpx
import pytest
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.gateway import addresses, middleware
from editor.gateway.profile import CREDENTIALS, Headers
from editor.models import Membership, Plan
from editor.operations import api_keys

pytestmark = pytest.mark.usefixtures("committed")


async def test_a_caller_with_a_key_is_authenticated(
    client: httpx.AsyncClient, actor: Actor, key: str
) -> None:
    answer = await client.post("/", content=b"12345", headers={"x-key": key})
    assert answer.json() == {"length": 5, "channel": "test", "by": actor.user.email}
    assert answer.headers["x-ratelimit-limit"] == "60"
    assert answer.headers["x-ratelimit-remaining"] == "59"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("bad", ["", "x", "flk_" + "a" * 46, "flk_" + "b" * 60_000, "é"])
async def test_a_missing_or_invalid_key_is_refused(client: httpx.AsyncClient, bad: str) -> None:
    answer = await client.get("/", headers={b"x-key": bad.encode()} if bad else {})
    assert (answer.status_code, answer.json()["oops"]) == (401, "Missing or invalid API key.")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert int(answer.headers["x-ratelimit-limit"]) == middleware.REFUSED_A_MINUTE


async def test_failed_authentication_is_limited_by_address(client: httpx.AsyncClient, key: str) -> None:
    for _ in range(middleware.REFUSED_A_MINUTE):
        assert (await client.get("/", headers={"x-key": "x"})).status_code == 401
    refused = await client.get("/", headers={"x-key": "x"})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert (await client.get("/", headers={"x-key": key})).status_code == 200


async def test_requests_of_a_workspace_are_limited_per_minute(
    client: httpx.AsyncClient, actor: Actor, key: str
) -> None:
    def limit() -> None:
        actor.workspace.plan = Plan.objects.create(name="Small", requests_per_minute=3)
        actor.workspace.save(update_fields=["plan"])

    await in_thread(limit)
    statuses = [(await client.get("/", headers={"x-key": key})).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


async def test_the_key_of_a_removed_member_is_invalid(
    client: httpx.AsyncClient, actor: Actor, key: str
) -> None:
    await in_thread(Membership.objects.filter(user=actor.user).delete)
    assert (await client.get("/", headers={"x-key": key})).status_code == 401


async def test_a_member_without_the_permission_is_refused(
    client: httpx.AsyncClient, actor: Actor, key: str
) -> None:
    await in_thread(
        Membership.objects.filter(user=actor.user).update, role="editor", access_image_editor=False
    )
    assert (await client.get("/", headers={"x-key": key})).status_code == 403


async def test_a_foreign_host_name_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/", headers={"x-key": key, "host": "evil.example"})
    assert answer.status_code == 400
    assert "oops" in answer.json()


async def test_an_open_path_needs_no_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/open")
    assert answer.json() == {"length": 0, "channel": None, "by": None}


async def test_a_signed_url_needs_no_key_and_has_a_rate_limit_of_its_own(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "PASSES_A_MINUTE", 2)
    one = [await client.get("/?signed=one") for _ in range(3)]
    assert [answer.status_code for answer in one] == [200, 200, 429]
    assert one[0].json()["channel"] is None
    assert [answer.headers["x-ratelimit-remaining"] for answer in one] == ["1", "0", "0"]
    assert "retry-after" in one[2].headers
    assert (await client.get("/?signed=other")).status_code == 200
    assert (await client.get("/?signed=one", headers={"host": "evil.example"})).status_code == 400


async def test_an_api_may_map_errors_to_its_own_statuses(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/teapot", headers={"x-key": key})
    assert (answer.status_code, answer.json()) == (418, {"oops": "Teapot.", "status": 418})


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/denied", 403, "Not for you."),
        ("/html", 404, "There is nothing at this URL."),
        ("/crash", 500, "The portal failed to handle this request. Try again, or ask an operator for help."),
    ],
)
async def test_every_error_has_the_apis_envelope(
    client: httpx.AsyncClient, key: str, path: str, status: int, text: str
) -> None:
    answer = await client.get(path, headers={"x-key": key})
    assert (answer.status_code, answer.json()) == (status, {"oops": text, "status": status})
    assert answer.headers["content-type"] == "application/json"
    assert "x-ratelimit-limit" in answer.headers


async def test_retry_after_is_at_least_one_second(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/soon", headers={"x-key": key})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_the_response_to_head_has_no_body(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.head("/html", headers={"x-key": key})
    assert (answer.status_code, answer.content) == (404, b"")


def test_the_first_of_repeated_headers_is_used() -> None:
    headers = Headers({"headers": [(b"x-key", b"one"), (b"x-key", b"two")]})
    assert (headers.get("x-key"), headers.get("nothing")) == ("one", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.10", False),
        ("2001:db8::1", "2001:db8:1::1", False),
    ],
)
def test_rate_limits_group_addresses(one: str, other: str, same: bool) -> None:
    counted = [addresses.counted(address) for address in (one, other)]
    assert (counted[0] == counted[1]) is same


async def test_an_allowed_host_is_served(client: httpx.AsyncClient, key: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["edits.example"]
    answer = await client.get("/", headers={"x-key": key, "host": "edits.example:8443"})
    assert answer.status_code == 200


async def test_a_signing_key_is_refused_by_an_api_without_signatures(
    client: httpx.AsyncClient, actor: Actor
) -> None:
    _, bare = await in_thread(lambda: api_keys.create(actor=actor, name="Wiro", signed=True))
    answer = await client.get("/", headers={"x-key": bare})
    assert answer.status_code == 401
    assert "for signed requests" in answer.json()["oops"]


@pytest.mark.parametrize("name", CREDENTIALS)
async def test_repeated_credentials_are_refused(client: httpx.AsyncClient, key: str, name: str) -> None:
    twice = [("x-key", key), *[(name, key)] * (1 if name == "x-key" else 2)]
    for headers in (twice, [(name.upper(), value) for name, value in twice]):
        answer = await client.get("/", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["oops"] == f"The header {name} was sent more than once."
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_repeated_credentials_are_refused_at_a_signed_url_too(
    client: httpx.AsyncClient, key: str
) -> None:
    assert (await client.get("/?signed=task")).status_code == 200
    answer = await client.get("/?signed=task", headers=[("authorization", "a"), ("authorization", "b")])
    assert answer.status_code == 401
