"""A job that ends while a stream reads its row as running: the stream still sends the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from editor.access import task_tokens
from editor.api import events
from editor.compat.openai import answers
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.models import Job
from editor.queries import jobs as job_queries
from tests.compat.wiro.test_consumer import connected, submit
from tests.factories import make_actor
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")


class LateRead:
    """The first call of a query returns what it found only after `go_on` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.found, self.go_on = threading.Event(), threading.Event()
        self._query = getattr(job_queries, name)
        monkeypatch.setattr(job_queries, name, self._read)

    def _read(self, *arguments: Any) -> Any:
        result = self._query(*arguments)
        if not self.found.is_set():
            self.found.set()
            self.go_on.wait(PATIENCE)
        return result

    async def until_ended(self, job: Job) -> None:
        """Bring the job to its end while the query waits, and let the listeners receive the end."""
        await until(self.found.is_set)
        await execution.run(job.id)
        await asyncio.sleep(0.1)
        self.go_on.set()


@pytest.fixture
async def job() -> Job:
    return await in_thread(lambda: submit(make_actor()))


async def collected(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def test_server_sent_events_include_the_end(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    late = LateRead(monkeypatch, "read_with_events")
    stream = asyncio.create_task(collected(events.stream(job, after=0, base_url="")))
    await late.until_ended(job)
    assert b"event: completed" in await stream


async def test_the_stream_of_the_openai_api_includes_the_image(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = LateRead(monkeypatch, "read")
    stream = asyncio.create_task(collected(answers.events(job, kind="image_edit")))
    await late.until_ended(job)
    assert b"event: image_edit.completed" in await stream


async def test_the_socket_of_the_wiro_api_sends_the_last_frame(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = LateRead(monkeypatch, "read_with_events")
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(job.id))
        await late.until_ended(job)
        assert (await socket.frames_of_task())[-1]["type"] == "task_postprocess_end"
