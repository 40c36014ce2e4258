"""The socket of a workspace: who may connect, which messages are sent, their order, and how often."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

import pytest
from django.db import transaction

from editor import events
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.models import Job, Membership, Role
from editor.operations import credits, jobs, members, workspace_settings
from editor.operations.jobs import NewEdit
from editor.providers import registry
from editor.providers.base import Progress
from tests.factories import make_actor, make_image, make_member
from tests.sockets.page import NOT_A_MEMBER, listen
from tests.stepwise import Stepwise, result

pytestmark = pytest.mark.usefixtures("committed")


STEPS = ["queued", "sent", "generating", "checking", "saving"]


def submit(actor: Actor, prompt: str = "make it warmer") -> Job:
    image = make_image(actor)
    return jobs.submit(actor=actor, request=NewEdit(prompt=prompt, image_ids=(image.id,)))


async def run_job(actor: Actor, prompt: str = "make it warmer") -> Job:
    job = await in_thread(submit, actor, prompt)
    await execution.run(job.id)
    return job


async def test_the_first_message_contains_running_jobs_and_the_balance() -> None:
    actor = await in_thread(make_actor, balance=1234)
    job = await in_thread(submit, actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        snapshot = await page.next()
    assert f'id="job-{job.id}"' in snapshot
    assert '<hx-partial hx-target="#balance" hx-swap="textContent">1,230</hx-partial>' in snapshot


async def test_jobs_that_ended_between_rendering_and_connecting_are_reported() -> None:
    actor = await in_thread(make_actor)
    job = await run_job(actor)
    await in_thread(job.refresh_from_db)
    assert job.finished_at
    before = job.finished_at.timestamp() - 1
    async with listen(actor.user, actor.workspace.slug, query=f"since={before}") as page:
        assert f"stage-{job.parent_id}" in await page.next()
    async with listen(actor.user, actor.workspace.slug, query=f"since={before + 2}") as page:
        assert f"stage-{job.parent_id}" not in await page.next()


@pytest.mark.parametrize(
    "since", ["", "x", "nan", "inf", "-inf", "1e400", "-1", "-99999999999999", "9" * 400, "١٢٣", "\0", "%ff"]
)
async def test_an_invalid_since_is_ignored(since: str) -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug, query=f"since={quote(since, safe='%')}") as page:
        assert page.accepted
        assert "#balance" in await page.next()


async def test_the_steps_of_an_edit_arrive_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Stepwise()
    monkeypatch.setattr(registry, "get", lambda name: provider)
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        job = await in_thread(submit, actor)
        messages = [await page.next()]
        running = asyncio.create_task(execution.run(job.id))
        for percent in (20, 70):
            provider.goes_on(Progress(percent=percent))
            messages += await page.until(f"Generating {percent}%")
        provider.goes_on(result())
        await running
        messages += await page.reported()
    now = [
        found for message in messages for found in re.findall(r'data-key="(\w+)"\s+data-state="now"', message)
    ]
    assert {"queued", "generating"} <= set(now)
    assert [STEPS.index(step) for step in now] == sorted(STEPS.index(step) for step in now)
    percents = [int(found) for message in messages for found in re.findall(r"Generating (\d+)%", message)]
    assert {20, 70} <= set(percents) and percents == sorted(percents)


async def test_the_end_is_reported_once_with_the_balance() -> None:
    actor = await in_thread(make_actor, balance=100)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        job = await run_job(actor)
        messages = await page.reported()
    ends = [message for message in messages if "Edit ready" in message]
    assert len(ends) == 1
    assert sum(f'hx-target="#stage-{job.parent_id}"' in message for message in messages) == 1
    assert sum('hx-target="#pull"' in message for message in messages) == 1
    assert 'hx-target="#balance" hx-swap="textContent">96<' in ends[0]
    assert f'id="job-{job.id}"' not in messages[-1]


async def test_a_failure_is_reported_once_with_its_reason_and_the_balance() -> None:
    actor = await in_thread(make_actor, balance=100)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await run_job(actor, "[fail] make it warmer")
        messages = await page.reported()
    ends = [message for message in messages if "Edit failed" in message]
    assert len(ends) == 1
    assert "4 credits refunded" in ends[0]
    assert 'hx-target="#balance" hx-swap="textContent">100<' in ends[0]


async def test_another_member_sees_the_result_without_the_toast() -> None:
    actor = await in_thread(make_actor)
    other = await in_thread(make_member, actor.workspace)
    async with listen(other, actor.workspace.slug) as page:
        await page.next()
        job = await run_job(actor)
        messages = await page.reported()
    assert sum(f'hx-target="#stage-{job.parent_id}"' in message for message in messages) == 1
    assert not any("Edit ready" in message for message in messages)


async def test_granted_credits_are_reported() -> None:
    actor = await in_thread(make_actor, balance=100)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await in_thread(credits.grant, workspace=actor.workspace, amount=900, actor=None)
        messages = await page.reported()
    assert len(messages) == 1
    assert 'hx-target="#balance" hx-swap="textContent">1,000<' in messages[0]


async def test_rolled_back_changes_are_not_reported() -> None:
    actor = await in_thread(make_actor, balance=100)

    def grant_and_undo() -> None:
        with transaction.atomic():
            credits.grant(workspace=actor.workspace, amount=900, actor=None)
            transaction.set_rollback(True)

    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await in_thread(grant_and_undo)
        assert await page.reported() == []


async def test_events_of_another_workspace_never_arrive() -> None:
    actor = await in_thread(make_actor)
    rival = await in_thread(make_actor, name="Rivals")
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await run_job(rival)
        await in_thread(credits.grant, workspace=rival.workspace, amount=1, actor=None)
        assert await page.reported() == []


async def test_a_job_of_another_workspace_in_an_event_is_not_shown() -> None:
    """If ids were ever mixed up: the rows are read again with the viewer's rights."""
    actor = await in_thread(make_actor)
    rival = await in_thread(make_actor, name="Rivals")
    job = await run_job(rival, "a secret prompt, make it warmer")
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await in_thread(
            events.publish, events.JobChanged(workspace_id=actor.workspace.id, job_id=job.id, ended=True)
        )
        messages = await page.reported()
    assert messages
    assert not any("secret" in message or str(job.id) in message for message in messages)


async def test_a_removed_member_gets_a_last_message_and_nothing_more() -> None:
    actor = await in_thread(make_actor)
    member = await in_thread(make_member, actor.workspace)
    async with listen(member, actor.workspace.slug) as page:
        await page.next()
        await in_thread(Membership.objects.filter(user=member).delete)
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        assert "no longer a member" in await page.next()
        assert (await page.answer())["code"] == NOT_A_MEMBER


@pytest.mark.parametrize(
    "text", ["hello", "{}", '{"type": "job_changed", "job_id": "x"}', "\0", "x" * 100_000]
)
async def test_messages_from_a_page_are_ignored(text: str) -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        await page.say(text=text)
        await page.say(bytes=text.encode())
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        (message,) = await page.reported()
    assert "#balance" in message


async def test_two_pages_of_one_user_both_receive_it() -> None:
    actor = await in_thread(make_actor)
    slug = actor.workspace.slug
    async with listen(actor.user, slug) as first, listen(actor.user, slug) as second:
        await first.next()
        await second.next()
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        reported = [
            [re.sub(r"\d+\.\d{6}", "now", text) for text in await page.reported()] for page in (first, second)
        ]
        assert reported[0] == reported[1] != []


async def test_a_composer_asks_for_its_price_again_when_limits_change() -> None:
    owner = await in_thread(make_actor)
    mei = await in_thread(make_member, owner.workspace)
    membership = await in_thread(owner.workspace.memberships.get, user=mei)
    async with listen(mei, owner.workspace.slug) as page:
        await page.next()
        await in_thread(members.change, actor=owner, membership=membership, monthly_cap=4)
        assert 'hx-target="#pull"' in await page.next()
        await in_thread(
            workspace_settings.set_limits,
            actor=owner,
            monthly_limit=None,
            daily_limit=9,
            approval_threshold=None,
            time_zone="UTC",
        )
        assert 'hx-target="#pull"' in await page.next()


async def test_a_page_rendered_for_other_rights_is_reloaded_once() -> None:
    actor = await in_thread(make_actor)
    member = await in_thread(make_actor, actor.workspace, user=await in_thread(make_member, actor.workspace))
    slug = actor.workspace.slug
    async with listen(member.user, slug, query=f"rights={member.rights}") as page:
        await page.next()
        for role in (Role.VIEWER, Role.VIEWER):
            await in_thread(members.change, actor=actor, membership=member.membership, role=role)
        reload, pull = await page.reported()
        assert f"/w/{slug}/rights/" in reload
        assert "#members-pull" in pull
    async with listen(member.user, slug, query=f"rights={member.rights}") as stale:
        assert f"/w/{slug}/rights/" in await stale.next()
