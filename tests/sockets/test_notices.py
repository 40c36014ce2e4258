"""Notices reach a person's open pages at once; an edit whose end a page shows leaves none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.models import Job, Notice, Status, User
from editor.operations import approvals, notices, outcomes
from editor.operations.notices import Kind
from tests.approvals import ask, make_team
from tests.factories import make_actor, make_member
from tests.sockets.page import listen
from tests.web.rows import add_job

pytestmark = pytest.mark.usefixtures("committed")


def tell(user: User, text: str = "Few are left.") -> None:
    notices.add(user=user, kind=Kind.CREDITS_LOW, text=text, source="1")


async def test_a_new_notice_arrives_on_the_persons_pages_only() -> None:
    owner = await in_thread(make_actor)
    other = await in_thread(make_member, owner.workspace)
    async with (
        listen(owner.user, owner.workspace.slug) as page,
        listen(other, owner.workspace.slug) as others,
    ):
        await page.next()
        await others.next()
        await in_thread(tell, owner.user)
        message = await page.next()
        assert 'hx-target="#bell"' in message
        assert "data-long" in message
        assert "Few are left." in message
        assert await others.reported() == []


async def test_reading_them_on_one_page_clears_the_bell_on_all() -> None:
    owner = await in_thread(make_actor)
    await in_thread(tell, owner.user)
    async with listen(owner.user, owner.workspace.slug) as page:
        await page.next()
        await in_thread(_read_all, owner.user)
        message = await page.next()
    assert "unread" not in message
    assert "Few are left." not in message


def _read_all(user: User) -> None:
    notices.read_all(user=user)


def run_long(actor: Actor) -> Job:
    """An edit that has run for a minute."""
    job = add_job(actor.workspace, price=0, status=Status.PROCESSING, created_by=actor.user)
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    job.refresh_from_db()
    return job


def fail(job: Job) -> None:
    outcomes.end_failed(job=job, code="timeout", message="It took too long.")


async def test_the_end_that_a_page_shows_leaves_no_notice() -> None:
    owner = await in_thread(make_actor)
    job = await in_thread(run_long, owner)
    async with listen(owner.user, owner.workspace.slug) as page:
        await page.next()
        await in_thread(fail, job)
        messages = await page.until("It took too long.")
        messages += await page.reported()
    assert await in_thread(Notice.objects.count) == 0
    assert not any("New notice" in message for message in messages)


async def test_the_end_that_no_page_of_the_person_shows_leaves_one() -> None:
    owner = await in_thread(make_actor)
    other = await in_thread(make_member, owner.workspace)
    job = await in_thread(run_long, owner)
    async with listen(other, owner.workspace.slug) as page:
        await page.next()
        await in_thread(fail, job)
        await page.reported()
    assert await in_thread(Notice.objects.filter(user=owner.user, kind=Kind.EDIT_ENDED).count) == 1


async def test_a_page_that_reconnects_and_shows_the_end_withdraws_it() -> None:
    owner = await in_thread(make_actor)
    before = timezone.now().timestamp() - 1
    await in_thread(fail, await in_thread(run_long, owner))
    async with listen(owner.user, owner.workspace.slug, query=f"since={before}") as page:
        assert "It took too long." in await page.next()
        await page.reported()
    assert await in_thread(Notice.objects.count) == 0


async def test_a_question_arrives_live_and_leaves_with_the_answer_which_goes_to_who_asked() -> None:
    team = await in_thread(make_team)
    slug = team.workspace.slug
    async with listen(team.admin.user, slug) as deciding, listen(team.editor.user, slug) as asking:
        await deciding.next()
        await asking.next()
        job = await in_thread(ask, team.editor)
        asked = "".join(await deciding.reported())
        assert "asks for 4 credits" in asked
        assert "unread" in asked
        assert "unread" not in "".join(await asking.reported())
        await in_thread(approvals.decline, actor=team.owner, job=job, reason="Too expensive")
        bell = (await deciding.until('hx-target="#bell"'))[-1]
        assert "unread" not in bell
        assert "unread" in (await asking.until("declined your edit (Too expensive)"))[-1]
