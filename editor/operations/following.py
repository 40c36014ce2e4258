"""Following a task at its provider until it gives a result: few polls, and near its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from django.utils import timezone

from editor import catalog
from editor.db import in_thread
from editor.errors import EditorError
from editor.models import Job, JobEvent
from editor.operations import hints, timeline
from editor.operations.ended import Ended
from editor.providers.base import EditRequest, Progress, Provider, Result, Submitted, Temporary
from editor.providers.polling import LONGEST_WAIT, Expected, next_wait

log = logging.getLogger("editor.jobs")

# A step in between is told when it is this much further (percent) or this much later (seconds).
PROGRESS_STEP = 5
PROGRESS_PAUSE = 0.5
HEEDED = 3  # hints about one job that are followed at once
UNKNOWN_SECONDS = 10.0  # what a task of a model that left the catalogue may take

# What tasks took in this process, by provider and target: grows with the catalogue, not with the jobs.
_expected: dict[tuple[str, str], Expected] = {}


async def follow(job: Job, request: EditRequest, provider: Provider, task: Submitted) -> Result:
    """Poll until the task has ended. Raises ProviderError, or Ended when the job was ended meanwhile.

    A poll without an answer is repeated: only the job's time limit ends that.
    """
    expected = _expected.setdefault((job.provider, job.target), Expected.unknown(_typical_seconds(job)))
    told_percent, told_at = job.percent or 0, timezone.now()
    unanswered = heeded = 0
    with hints.listening(job.id) as hint:
        watching = asyncio.ensure_future(_watch(job, request, provider, task))
        try:
            while True:
                try:
                    update = await provider.poll(request, task)
                except Temporary as error:
                    unanswered += 1
                    log.info("job %s: %s did not answer: %s", job.id, provider.name, error.message)
                    await asyncio.sleep(_after_silence(unanswered, error.retry_after))
                    continue
                unanswered = 0
                now = timezone.now()
                assert job.submitting_at is not None
                elapsed = (now - job.submitting_at).total_seconds()
                if isinstance(update, Result):
                    expected.learn(elapsed)
                    return update
                if _worth_telling(update, told_percent, (now - told_at).total_seconds()):
                    told_percent, told_at = update.percent or 0, now
                    if not await in_thread(timeline.record, job=job, kind=_OUTPUT, percent=update.percent):
                        await provider.cancel(request, task)
                        raise Ended
                wait = update.wait
                if wait is None:
                    wait = next_wait(elapsed=elapsed, expected=expected, shortest=provider.shortest_wait)
                if await hints.wait(hint, max(0.02, wait)):
                    heeded += 1
                    # Whoever has a callback's address cannot make us ask without end.
                    await asyncio.sleep(0 if heeded <= HEEDED else provider.shortest_wait)
        finally:
            watching.cancel()


_OUTPUT = JobEvent.Kind.OUTPUT


async def _watch(job: Job, request: EditRequest, provider: Provider, task: Submitted) -> None:
    """Turn the provider's own news into one hint. Without news nothing is lost but time."""
    with contextlib.suppress(EditorError):
        if await provider.watch(request, task):
            hints.tell(job.id)


def _typical_seconds(job: Job) -> float:
    model = catalog.catalog().models.get(job.model)
    return model.typical_seconds if model else UNKNOWN_SECONDS


def _after_silence(times: int, retry_after: float | None) -> float:
    """Seconds until the next try after so many polls without an answer."""
    return retry_after if retry_after is not None else min(0.5 * 2.0**times, LONGEST_WAIT)


def _worth_telling(update: Progress, told_percent: int, seconds: float) -> bool:
    if update.percent is None or update.percent <= told_percent:
        return False
    return update.percent >= told_percent + PROGRESS_STEP or seconds >= PROGRESS_PAUSE
