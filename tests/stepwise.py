"""A provider whose progress is controlled by the test."""

from __future__ import annotations

import asyncio
import uuid

from editor.providers.base import EditRequest, Progress, Provider, Result, ResultImage, Submitted
from tests.factories import photo


class Stepwise(Provider):
    """Replaces the sandbox. A poll waits until the test provides the next progress."""

    name, label, needs_key = "sandbox", "Stepwise", False
    shortest_wait = 0

    def __init__(self) -> None:
        self._news: asyncio.Queue[Progress | Result] = asyncio.Queue()

    def goes_on(self, *news: Progress | Result) -> None:
        """Set the results of the next polls, in order."""
        for each in news:
            self._news.put_nowait(each)

    async def submit(self, request: EditRequest) -> Submitted:
        return Submitted(task_id=uuid.uuid4().hex)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        return await self._news.get()


def result() -> Result:
    return Result(images=(ResultImage(photo(), "image/png"),))
