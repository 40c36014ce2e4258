"""A page's socket while events of the portal's other processes cannot be received."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from channels.layers import channel_layers
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.models import Job, JobEvent, Status
from editor.operations import timeline
from editor.redis import health, layer
from editor.sockets import workspace
from tests.factories import make_actor
from tests.redis_server import RedisServer, redis_server
from tests.sockets.page import listen
from tests.web.rows import add_job

pytestmark = pytest.mark.usefixtures("committed")

DELAYED = "Live updates are delayed"


@pytest.fixture
async def redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisServer]:
    monkeypatch.setattr(workspace, "POLL_EVERY", 0.2)
    monkeypatch.setattr(layer, "BEAT_EVERY", 0.2)
    health.health.worked()
    with redis_server() as server:
        settings.CHANNEL_LAYERS = {
            "default": {"BACKEND": "editor.redis.layer.SharedLayer", "CONFIG": {"url": server.url}}
        }
        channel_layers.backends.clear()
        yield server
    channel_layers.backends.clear()
    health.health.worked()


def elsewhere(actor: Actor, prompt: str) -> Job:
    """An edit that ended in another process, and whose message was lost."""
    job = add_job(actor.workspace, prompt=prompt, created_by=actor.user)
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED, error="It failed.", finished_at=timezone.now())
    return job


async def test_an_open_page_shows_it_and_still_receives_ended_jobs(redis: RedisServer) -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        assert DELAYED not in await page.next()
        redis.stop()
        await page.until(DELAYED)
        await in_thread(elsewhere, actor, "first")
        assert DELAYED in (await page.until("Edit failed"))[-1]
        redis.start()
        rest = await page.until('<hx-partial hx-target="#delayed" hx-swap="innerMorph"></hx-partial>')
        await in_thread(elsewhere, actor, "never told")
        rest += await page.reported()
        assert not any("Edit failed" in text for text in rest), "it is told once"


async def test_jobs_that_ended_before_the_outage_was_noticed_are_reported_on_recovery(
    redis: RedisServer,
) -> None:
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        await page.next()
        redis.hang()
        await in_thread(elsewhere, actor, "unheard")
        reported = await page.until("Edit failed")
        redis.go_on()
        reported += await page.until('"#delayed" hx-swap="innerMorph"></hx-partial>')
        assert sum("Edit failed" in text for text in reported) == 1


async def test_a_page_that_connects_during_the_outage_is_served(redis: RedisServer) -> None:
    redis.stop()
    actor = await in_thread(make_actor)
    async with listen(actor.user, actor.workspace.slug) as page:
        assert DELAYED in await page.next()
        await in_thread(
            timeline.record, job=await in_thread(add_job, actor.workspace), kind=JobEvent.Kind.START
        )
        assert "job-" in (await page.until("job-"))[-1]
