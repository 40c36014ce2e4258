"""Who may open the socket of a page, and how many."""

from __future__ import annotations

from typing import Any

import pytest

from editor import events
from editor.access.actor import Actor
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.contexts import jobs as contexts_of_jobs
from editor.models import Membership, Workspace
from editor.operations import credits, members
from editor.sockets import workspace
from tests.factories import make_actor, make_member
from tests.patience import until
from tests.sockets.page import NOT_A_MEMBER, listen

pytestmark = pytest.mark.usefixtures("committed")


async def test_an_anonymous_client_gets_a_message_and_is_disconnected() -> None:
    actor = await in_thread(make_actor)
    async with listen(None, actor.workspace.slug) as page:
        assert "You are signed out" in await page.next()
        assert (await page.answer())["code"] == NOT_A_MEMBER


async def test_sockets_per_user_are_limited_until_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "MOST_OF_ONE_PERSON", 2)
    actor = await in_thread(make_actor)
    member = await in_thread(make_member, actor.workspace)
    slug = actor.workspace.slug
    async with listen(actor.user, slug) as first:
        await first.next()
        async with listen(actor.user, slug) as second, listen(actor.user, slug) as third:
            await second.next()
            last = await third.next()
            assert "too many pages of yours" in last
            assert '<hx-partial hx-target="#live" hx-swap="delete">' in last
            assert (await third.answer())["code"] == NOT_A_MEMBER
            async with listen(member, slug) as others:
                assert "#balance" in await others.next()
        async with listen(actor.user, slug) as again:
            assert "#balance" in await again.next()
    assert not workspace._open


async def test_a_failed_socket_is_no_longer_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no snapshot")

    actor = await in_thread(make_actor)
    monkeypatch.setattr(contexts_of_jobs, "snapshot", fail)
    with pytest.raises(RuntimeError, match="no snapshot"):
        async with listen(actor.user, actor.workspace.slug) as page:
            assert page.accepted
            await until(lambda: not workspace._open)


async def test_its_lookups_count_against_its_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    tenants: list[str] = []

    def viewer(*args: Any) -> Actor:
        tenants.append(threads.tenant.get())
        return look_up(*args)

    look_up = workspace._viewer
    monkeypatch.setattr(workspace, "_viewer", viewer)
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await in_thread(credits.grant, workspace=actor.workspace, amount=900, actor=None)
        await page.until("#balance")
    assert tenants[0] == str(actor.user.pk), "before the workspace is known"
    assert len(tenants) > 3
    assert set(tenants[1:]) == {str(actor.workspace.id)}


async def test_a_stranger_is_refused_as_for_a_missing_workspace() -> None:
    actor = await in_thread(make_actor)
    stranger = await in_thread(make_actor, name="Rivals")
    answers = []
    for slug in (actor.workspace.slug, "no-such-workspace"):
        async with listen(stranger.user, slug) as page:
            answers.append(await page.next())
            assert (await page.answer())["code"] == NOT_A_MEMBER
    assert answers[0] == answers[1]
    assert "no longer a member" in answers[0]


async def test_a_removed_member_alone_is_notified_immediately() -> None:
    actor = await in_thread(make_actor)
    user = await in_thread(make_member, actor.workspace)
    membership = await in_thread(Membership.objects.select_related("workspace", "user").get, user=user)
    slug = actor.workspace.slug
    async with listen(actor.user, slug) as staying, listen(user, slug) as leaving:
        await staying.next()
        await leaving.next()
        await in_thread(members.end, membership=membership, actor=actor.user)
        assert "no longer a member" in await leaving.next()
        assert (await leaving.answer())["code"] == NOT_A_MEMBER
        [reported] = await staying.reported()
        assert "#members-pull" in reported


async def test_a_member_without_the_factor_that_is_demanded_now_is_told_why() -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await in_thread(Workspace.objects.update, second_factor_required=True)
        await in_thread(events.publish, events.AccessChanged(workspace_id=actor.workspace.id))
        assert "demands a second factor" in await page.next()
        assert (await page.answer())["code"] == NOT_A_MEMBER


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "null", "http://localhost.elsewhere.example"]
)
async def test_a_page_of_another_site_is_refused(origin: str) -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug, origin=origin) as page:
        assert not page.accepted
