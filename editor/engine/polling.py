"""Following a task at its provider until it gives a result: few polls, and near its end."""

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

# A step in between is told when it is this much further (percent) or this much later (seconds).
PROGRESS_STEP = 5
PROGRESS_PAUSE = 0.5
SHORTEST_WAIT = 0.02  # seconds, whatever a provider says
HEEDED = 3  # hints about one job that are followed at once
UNKNOWN_SECONDS = 10.0  # what a task of a model that left the catalogue may take

# What tasks took in this process, by provider and target: grows with the catalogue, not with the jobs.
_expected: dict[tuple[str, str], Expected] = {}


async def follow(
    job: Job, request: EditRequest, provider: Provider, task: Submitted, *, resumed: bool
) -> Result:
    """Poll until the task has ended. Raises ProviderError, or Ended when the job was ended meanwhile.

    NotAsked is for the caller to wait for: while the machine lacks something, no time limit counts.

    resumed  it was submitted by an earlier run; nobody knows when it ended, or whether it did

    A poll without an answer is repeated: only the job's time limit ends that.
    """
    assert job.submitting_at is not None
    expected = _expected.setdefault((job.provider, job.target), Expected.unknown(_typical_seconds(job)))
    shortest = provider.shortest_wait
    reported_percent, reported_at = job.percent or 0, timezone.now()
    unanswered = heeded = 0
    late = False
    wait = random.uniform(0, shortest) if resumed else _first_wait(expected, shortest)  # noqa: S311
    with wakeups.listening(job.id) as hint:
        watching = asyncio.ensure_future(_watch(job, request, provider, task))
        try:
            while True:
                if wait and await wakeups.wait(hint, wait):
                    heeded += 1
                    # Whoever has a callback's address cannot make us ask without end.
                    await asyncio.sleep(0 if heeded <= HEEDED else shortest)
                try:
                    with keys_hidden(request.account):
                        update = await provider.poll(request, task)
                except NotSent:
                    raise
                except Temporary as error:
                    unanswered += 1
                    log.info("job %s: %s did not answer: %s", job.id, provider.name, error.message)
                    wait = max(_after_silence(unanswered, error.retry_after), shortest)
                    if error.retry_after is not None:  # the provider's own word: no hint shortens that
                        await asyncio.sleep(wait)
                        wait = 0
                    continue
                unanswered = 0
                now = timezone.now()
                elapsed = (now - job.submitting_at).total_seconds()
                if isinstance(update, Result):
                    if not resumed:
                        expected.learn(elapsed)
                    return update
                if elapsed > expected.closes and not late and not resumed:
                    # The others of a flood need not all find out that it takes longer today.
                    late = True
                    expected.learn(elapsed)
                percent = None if update.percent is None else min(max(update.percent, 0), 100)
                if _worth_telling(percent, reported_percent, (now - reported_at).total_seconds()):
                    reported_percent, reported_at = percent or 0, now
                    if not await in_thread(timeline.record, job=job, kind=_OUTPUT, percent=percent):
                        await provider.cancel(request, task)
                        raise JobEnded
                due = next_wait(elapsed=elapsed, expected=expected, shortest=shortest)
                wait = max(SHORTEST_WAIT, due if update.wait is None else update.wait)
        finally:
            watching.cancel()


def _first_wait(expected: Expected, shortest: float) -> float:
    """None of a provider whose polls wait for news themselves."""
    return next_wait(elapsed=0, expected=expected, shortest=shortest) if shortest else 0


_OUTPUT = JobEvent.Kind.OUTPUT


async def _watch(job: Job, request: EditRequest, provider: Provider, task: Submitted) -> None:
    """Turn the provider's own news into one hint. Without news nothing is lost but time."""
    with contextlib.suppress(EditorError):
        if await provider.watch(request, task):
            wakeups.tell(job.id)


def _typical_seconds(job: Job) -> float:
    model = catalog.catalog().models.get(job.model)
    return model.typical_seconds if model else UNKNOWN_SECONDS


def _after_silence(times: int, retry_after: float | None) -> float:
    """Seconds until the next try after so many polls without an answer."""
    return retry_after if retry_after is not None else min(0.5 * 2.0**times, LONGEST_WAIT)


def _worth_telling(percent: int | None, reported_percent: int, seconds: float) -> bool:
    if percent is None or percent <= reported_percent:
        return False
    return percent >= reported_percent + PROGRESS_STEP or seconds >= PROGRESS_PAUSE
