"""A provider whose work is as far as the test says."""

from __future__ import annotations

import asyncio
import uuid

from editor.providers.base import EditRequest, Progress, Provider, Result, ResultImage, Submitted
from tests.factories import photo


class Stepwise(Provider):
    """In the sandbox's place. A poll waits until the test has said how the work goes on."""

    name, label, needs_key = "sandbox", "Stepwise", False
    shortest_wait = 0

    def __init__(self) -> None:
        self._news: asyncio.Queue[Progress | Result] = asyncio.Queue()

    def goes_on(self, *news: Progress | Result) -> None:
        """What the polls to come give, one after the other."""
        for each in news:
            self._news.put_nowait(each)

    async def submit(self, request: EditRequest) -> Submitted:
        return Submitted(task_id=uuid.uuid4().hex)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        return await self._news.get()


def result() -> Result:
    return Result(images=(ResultImage(photo(), "image/png"),))
