"""GET /limits, what errors say about limits, and quotes in POST /estimate-credits and POST /process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from editor.concurrency.threads import in_thread
from editor.models import Membership, Quote, UsageRule, Workspace
from editor.queries.pricing import Choice

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard", "async": True}


async def change(**values: Any) -> None:
    await in_thread(Workspace.objects.update, **values)


async def cap(**values: Any) -> None:
    await in_thread(Membership.objects.update, **values)


async def read(client: httpx.AsyncClient) -> Any:
    answer = await client.get("limits")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def estimate(client: httpx.AsyncClient, **more: Any) -> Any:
    answer = await client.post("estimate-credits", json={"model_tier": "standard", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_without_limits_everything_may_be_used(client: httpx.AsyncClient) -> None:
    found = await read(client)
    assert (found["limits"], found["available_credits"], found["suspended"]) == ([], 100, False)
    assert found["model_tiers"] == ["creative", "standard", "pro"]
    assert "black-forest-labs/flux-kontext-pro" in found["models"]


async def test_all_limits_that_apply_are_listed_with_what_is_left(client: httpx.AsyncClient) -> None:
    await cap(monthly_cap=30, daily_cap=5)
    await change(monthly_limit=50, time_zone="Europe/Berlin")
    assert (await client.post("process", json=EDIT)).status_code == 202
    found = await read(client)
    assert found["time_zone"] == "Europe/Berlin"
    assert [(one["limit"], one["allowed"], one["used"], one["remaining"]) for one in found["limits"]] == [
        ("member_month", 30, 4, 26),
        ("member_day", 5, 4, 1),
        ("workspace_month", 50, 4, 46),
    ]
    assert all(one["resets_at"].endswith(":00:00.000Z") for one in found["limits"])


async def test_an_error_says_which_limit_binds(client: httpx.AsyncClient) -> None:
    await cap(daily_cap=3)
    answer = await client.post("process", json=EDIT)
    found, [limit] = answer.json(), (await read(client))["limits"]
    assert (answer.status_code, found["code"]) == (402, "insufficient_credits")
    assert {name: found[name] for name in ("limit", "remaining", "resets_at")} == {
        name: limit[name] for name in ("limit", "remaining", "resets_at")
    }
    assert "An owner or admin of this workspace can raise it" in found["error"]
    estimated = await estimate(client)
    assert (estimated["can_proceed"], estimated["limit"]) == (False, "member_day")


async def test_rules_are_listed_and_enforced(client: httpx.AsyncClient) -> None:
    rule = {"allowed_tiers": ["creative"]}
    workspace = await in_thread(Workspace.objects.get)
    await in_thread(UsageRule.objects.create, workspace=workspace, **rule)
    assert (await read(client))["model_tiers"] == ["creative"]
    for path in ("process", "estimate-credits"):
        answer = await client.post(path, json=EDIT if path == "process" else {"model_tier": "pro"})
        assert answer.status_code == 403
        assert "The rules of this workspace do not allow you" in answer.json()["error"]
    models = (await client.get("models")).json()["data"]
    reasons = {one["id"]: one["not_allowed"] for one in models}
    assert "do not allow" in reasons["black-forest-labs/flux-kontext-max"]
    assert reasons["black-forest-labs/flux-kontext-dev"] is None


async def test_a_suspended_workspace_says_so(client: httpx.AsyncClient) -> None:
    await change(suspended_at=timezone.now(), suspended_reason="The invoice is open")
    assert (await read(client))["suspended"] is True
    answer = await client.post("process", json=EDIT)
    assert (answer.status_code, answer.json()["code"]) == (403, "workspace_suspended")


async def test_a_quote_holds_when_the_price_rises(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted = await estimate(client)
    monkeypatch.setattr(Choice, "credits", property(lambda choice: 9))
    answer = await client.post("process", json={**EDIT, "quote_id": quoted["quote_id"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["credits_held"] == quoted["estimated_credits"] == 4


@pytest.mark.parametrize(
    ("quote_id", "status", "code"),
    [
        ("nonsense", 400, "invalid_input"),
        ("9c0d4f31-52a7-4d0b-b6a3-0c8e5d7f9a20", 404, "not_found"),
    ],
)
async def test_a_wrong_quote_is_refused(
    client: httpx.AsyncClient, quote_id: str, status: int, code: str
) -> None:
    answer = await client.post("process", json={**EDIT, "quote_id": quote_id})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_quote_for_another_edit_and_an_expired_one_are_refused(client: httpx.AsyncClient) -> None:
    quote_id = (await estimate(client))["quote_id"]
    other = await client.post("process", json={**EDIT, "model_tier": "pro", "quote_id": quote_id})
    assert (other.status_code, set(other.json()["fields"])) == (400, {"quote_id"})
    await in_thread(Quote.objects.update, expires_at=timezone.now() - timedelta(seconds=1))
    expired = await client.post("process", json={**EDIT, "quote_id": quote_id})
    assert (expired.status_code, expired.json()["code"]) == (409, "quote_expired")
