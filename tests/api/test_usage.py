"""GET /usage of the public API, in this process."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from editor.access.actor import Actor
from editor.access.scopes import EVERYTHING, READ, WRITE
from editor.concurrency.threads import in_thread
from editor.models import Role
from editor.queries import limits
from tests.api.test_team import call, client_of, key_of
from tests.factories import make_actor, make_member
from tests.spending import spend

FLUX = "black-forest-labs/flux-kontext-pro"


@pytest.fixture
def owner(committed: None) -> Actor:
    return make_actor()


async def report(client: httpx.AsyncClient, **query: Any) -> Any:
    response = await client.get("usage", params={key.rstrip("_"): value for key, value in query.items()})
    assert response.status_code == 200, response.text
    return response.json()


async def test_usage_by_day_and_group(owner: Actor) -> None:
    mei = await in_thread(make_member, owner.workspace)
    today = limits.today(owner.workspace)
    for user, day in ((owner.user, today), (mei, today), (mei, today - timedelta(days=40))):
        await in_thread(spend, owner.workspace, user, on=day)
    async with client_of(await key_of(owner, READ)) as client:
        found = await report(client)
        assert found["data"] == [
            {
                "day": today.isoformat(),
                "group": FLUX,
                "label": "FLUX.1 Kontext [pro]",
                "edits": 2,
                "failed": 0,
                "credits": 8,
                "returned": 0,
            }
        ]
        long_ago = (today - timedelta(days=60)).isoformat()
        query = {"from_": long_ago, "until": today.isoformat(), "group_by": "member", "per_page": 2}
        first = await report(client, **query)
        assert first["pagination"] == {"page": 1, "per_page": 2, "has_more": True}
        assert {row["group"] for row in first["data"]} == {str(owner.user.pk), str(mei.pk)}
        [oldest] = (await report(client, **query, page=2))["data"]
        assert (oldest["day"], oldest["label"]) == (
            (today - timedelta(days=40)).isoformat(),
            mei.display_name,
        )
        [by_key] = (await report(client, group_by="key"))["data"]
        assert (by_key["group"], by_key["label"]) == (None, "Without a key")


async def test_a_member_gets_their_own_figures(owner: Actor) -> None:
    mei = await in_thread(make_member, owner.workspace, role=Role.EDITOR)
    for user in (owner.user, owner.user, mei):
        await in_thread(spend, owner.workspace, user)
    actor = await in_thread(make_actor, owner.workspace, user=mei)
    async with client_of(await key_of(actor, EVERYTHING)) as client:
        [row] = (await report(client, group_by="member"))["data"]
        assert (row["group"], row["credits"]) == (str(mei.pk), 4)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-02&until=2026-11-01", "from"),
        ("from=2025-01-01&until=2026-11-01", "from"),
        ("from=yesterday", "from"),
        ("group_by=colour", "group_by"),
        ("page=0", "page"),
        ("per_page=501", "per_page"),
    ],
)
async def test_an_invalid_request_says_what_is_wrong(owner: Actor, query: str, field: str) -> None:
    async with client_of(await key_of(owner, READ)) as client:
        problem = await call(client, "GET", f"usage?{query}", 400)
        assert list(problem["fields"]) == [field]


async def test_it_needs_the_scope_to_read(owner: Actor) -> None:
    async with client_of(await key_of(owner, WRITE)) as client:
        await call(client, "GET", "usage", 403)


async def test_dates_at_the_end_of_the_calendar_are_no_failure(owner: Actor) -> None:
    async with client_of(await key_of(owner, READ)) as client:
        assert (await report(client, until=date.max.isoformat()))["data"] == []
        assert (await report(client, until=date.min.isoformat()))["data"] == []
