"""Polls a provider's task until it has a result: rarely, and close to its expected end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from django.utils import timezone

from editor import catalog
from editor.concurrency.threads import in_thread
from editor.engine import wakeups
from editor.engine.errors import JobEnded
from editor.engine.poll_schedule import LONGEST_WAIT, Expected, next_wait
from editor.errors import EditorError
from editor.models import Job, JobEvent
from editor.operations import timeline
from editor.providers.base import EditRequest, NotSent, Provider, Result, Submitted, Temporary
from editor.providers.redaction import keys_hidden

log = logging.getLogger("editor.jobs")

# Progress is recorded when it is this much further (percent) or this much later (seconds).
PROGRESS_STEP = 5
PROGRESS_PAUSE = 0.5
SHORTEST_WAIT = 0.02  # seconds, whatever a provider requests
HEEDED = 3  # wake-ups of one job that cause an immediate poll
UNKNOWN_SECONDS = 10.0  # assumed duration of a task whose model has left the catalogue

# Durations seen in this process, by provider and target: grows with the catalogue, not with the jobs.
_expected: dict[tuple[str, str], Expected] = {}


async def follow(
    job: Job, request: EditRequest, provider: Provider, task: Submitted, *, resumed: bool
) -> Result:
    """Poll until the task has ended. Raises ProviderError, or JobEnded if the job has ended in the meantime.

    Raises NotSent for the caller to wait: no time limit applies during a shortage of system resources.

    resumed  submitted by an earlier run; whether and when the task ended is unknown

    A poll that fails is retried, limited only by the job's time limit.
    """
    assert job.submitting_at is not None
    expected = _expected.setdefault((job.provider, job.target), Expected.unknown(_typical_seconds(job)))
    shortest = provider.shortest_wait
    reported_percent, reported_at = job.percent or 0, timezone.now()
    failures = heeded = 0
    late = False
    wait = random.uniform(0, shortest) if resumed else _first_wait(expected, shortest)  # noqa: S311
    with wakeups.listening(job.id) as wakeup:
        watching = asyncio.ensure_future(_watch(job, request, provider, task))
        try:
            while True:
                if wait and await wakeups.wait(wakeup, wait):
                    heeded += 1
                    # Whoever knows a callback URL must not be able to make us poll without end.
                    await asyncio.sleep(0 if heeded <= HEEDED else shortest)
                try:
                    with keys_hidden(request.account):
                        update = await provider.poll(request, task)
                except NotSent:
                    raise
                except Temporary as error:
                    failures += 1
                    log.info("job %s: %s did not answer: %s", job.id, provider.name, error.message)
                    wait = max(_retry_wait(failures, error.retry_after), shortest)
                    if error.retry_after is not None:  # the provider's own limit: no wake-up shortens it
                        await asyncio.sleep(wait)
                        wait = 0
                    continue
                failures = 0
                now = timezone.now()
                elapsed = (now - job.submitting_at).total_seconds()
                if isinstance(update, Result):
                    if not resumed:
                        expected.learn(elapsed)
                    return update
                if elapsed > expected.closes and not late and not resumed:
                    # So that other jobs do not each have to find out that tasks take longer today.
                    late = True
                    expected.learn(elapsed)
                percent = None if update.percent is None else min(max(update.percent, 0), 100)
                if _worth_recording(percent, reported_percent, (now - reported_at).total_seconds()):
                    reported_percent, reported_at = percent or 0, now
                    if not await in_thread(timeline.record, job=job, kind=_OUTPUT, percent=percent):
                        await provider.cancel(request, task)
                        raise JobEnded
                due = next_wait(elapsed=elapsed, expected=expected, shortest=shortest)
                wait = max(SHORTEST_WAIT, due if update.wait is None else update.wait)
        finally:
            watching.cancel()


def _first_wait(expected: Expected, shortest: float) -> float:
    """No wait for a provider whose polls block until there is news."""
    return next_wait(elapsed=0, expected=expected, shortest=shortest) if shortest else 0


_OUTPUT = JobEvent.Kind.OUTPUT


async def _watch(job: Job, request: EditRequest, provider: Provider, task: Submitted) -> None:
    """Wake the poll when the provider itself reports the task's end. Missing it costs only time."""
    with contextlib.suppress(EditorError):
        if await provider.watch(request, task):
            wakeups.wake(job.id)


def _typical_seconds(job: Job) -> float:
    model = catalog.catalog().models.get(job.model)
    return model.typical_seconds if model else UNKNOWN_SECONDS


def _retry_wait(times: int, retry_after: float | None) -> float:
    """Seconds until the next poll after `times` failed ones."""
    return retry_after if retry_after is not None else min(0.5 * 2.0**times, LONGEST_WAIT)


def _worth_recording(percent: int | None, reported_percent: int, seconds: float) -> bool:
    if percent is None or percent <= reported_percent:
        return False
    return percent >= reported_percent + PROGRESS_STEP or seconds >= PROGRESS_PAUSE
