"""A job's events as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from editor.api import schemas
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.models import Job, JobEvent
from editor.queries import jobs as job_queries
from editor.representations import api

QUIET = 15.0  # seconds without events after which a comment keeps the connection open


async def stream(job: Job, *, after: int, base_url: str) -> AsyncIterator[bytes]:
    """Each event after the one numbered `after`, then the job when it has ended."""
    async with waiting.watching(job) as watch:
        while True:
            watch.changed.clear()
            last = watch.ended.is_set()  # before the read, so that the row is not older than the end
            row, steps = await in_thread(job_queries.read_with_events, job.id, after)
            for step in steps:
                after = step.pk
                yield _step(step)
            if row.has_ended:
                data = schemas.JobOut(data=api.job(row, base_url=base_url)).model_dump_json()
                yield f"event: {row.status}\ndata: {data}\n\n".encode()
                return
            if last:
                return  # the portal is about to stop; the client reconnects
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.changed.wait(), QUIET)
            if not watch.changed.is_set():
                yield b": still there\n\n"


def _step(step: JobEvent) -> bytes:
    data = json.dumps(
        {"at": step.created_at.isoformat(), "percent": step.percent, "note": step.note or None},
    )
    return f"id: {step.pk}\nevent: {step.kind}\ndata: {data}\n\n".encode()
