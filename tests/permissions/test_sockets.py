"""The socket of pages for everybody, and its messages: sent to those who have their permission."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import fields
from typing import Any, get_args

from django.db import transaction

from editor import events
from editor.concurrency.threads import in_thread
from editor.events import BalanceChanged, JobChanged
from editor.management import entry_points
from tests.permissions.team import RIGHTS, Team, holds, make_team
from tests.sockets.page import MARK, listen

MESSAGES = {one.name.split()[-1]: one for one in entry_points.all_of_them() if one.kind == "message"}


def publish(team: Team, event: type[Any]) -> None:
    job = team.rows.result.job
    assert job
    values = {
        "workspace_id": team.rows.workspace.id,
        "job_id": job.id,
        "user_id": team.users["removed member"].pk,
        "ended": True,
        "notice_id": None,
    }
    with transaction.atomic():
        events.publish(event(**{field.name: values[field.name] for field in fields(event)}))


async def test_members_get_what_they_may_see_and_nobody_else_gets_anything(committed: None) -> None:
    team = await in_thread(make_team)
    snapshot = MESSAGES["snapshot"].permission
    assert snapshot
    async with AsyncExitStack() as stack:
        opened = {}
        for name in RIGHTS:
            page = await stack.enter_async_context(listen(team.users.get(name), team.rows.workspace.slug))
            first = await page.next()
            if name in team.users and holds(name, snapshot):
                opened[name] = page
                assert "jobs" in first, name
            else:
                assert "signed out" in first or "no longer a member" in first, name
                assert (await page.answer())["code"] == 4403, name
        assert set(opened) == {name for name in team.users if RIGHTS[name]}
        for event in get_args(events.Event):
            await in_thread(publish, team, event)
            permission = MESSAGES[event.type].permission
            assert permission
            await in_thread(opened["owner"]._mark)  # once: it comes to all of them
            for name, page in opened.items():
                got = (await page.until(MARK))[:-1]
                assert not got or holds(name, permission), (name, event.type)
                if event in (JobChanged, BalanceChanged):
                    assert got, (name, event.type)
