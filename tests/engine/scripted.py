"""A provider that does what a test requires."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from editor.access.actor import Actor
from editor.engine import execution
from editor.models import CreditAccount, Job
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import registry
from editor.providers.base import EditRequest, Progress, Provider, Result, ResultImage, Submitted
from tests.factories import make_actor, photo
from tests.patience import until


class Scripted(Provider):
    """A provider that costs money, counts its submits and responds as the test requires.

    holds   respond to no submit before `answer` is set
    hangs   never respond to a poll
    """

    name = "sandbox"
    label = "Scripted"
    needs_key = False

    def __init__(self, *, holds: bool = False, hangs: bool = False, seed: int = 1) -> None:
        self.answer = asyncio.Event()
        if not holds:
            self.answer.set()
        self.hangs = hangs
        self.seed = seed
        self.requested: list[str] = []
        self.stopped: list[str] = []

    async def submit(self, request: EditRequest) -> Submitted:
        task_id = uuid.uuid4().hex
        self.requested.append(task_id)
        await self.answer.wait()
        return Submitted(task_id=task_id)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        if self.hangs:
            await asyncio.Event().wait()
        return Result(images=(ResultImage(photo(), "image/png"),), seed=self.seed)

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        self.stopped.append(task.task_id)


def scripted(monkeypatch: pytest.MonkeyPatch, provider: Scripted) -> Scripted:
    monkeypatch.setattr(registry, "get", lambda name: provider)
    return provider


def submit() -> tuple[Actor, Job]:
    actor = make_actor(balance=10)
    return actor, jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour"))


def totals(actor: Actor) -> tuple[int, int]:
    account = CreditAccount.objects.get(workspace=actor.workspace)
    return account.balance, account.held


async def stop_during_submit(job: Job, provider: Scripted) -> None:
    """Cancel the run during the submit, as a worker that shuts down does."""
    running = asyncio.create_task(execution.run(job.id))
    await until(lambda: provider.requested)
    running.cancel()
    await respond_while_it_stops(running, provider)


async def respond_while_it_stops(running: asyncio.Task[None], provider: Scripted) -> None:
    await asyncio.sleep(0)  # let the run handle the cancellation
    assert not running.done()
    provider.answer.set()
    await asyncio.gather(running, return_exceptions=True)


class AtOnce(Scripted):
    """A provider whose submit does all the work: its response cannot be fetched a second time."""

    immediate = True

    def __init__(self, *, content: bytes | None = None, holds: bool = False) -> None:
        super().__init__(holds=holds)
        self.content = photo() if content is None else content

    async def submit(self, request: EditRequest) -> Submitted:
        task = await super().submit(request)
        return replace(task, result=Result(images=(ResultImage(self.content, "image/png"),)))
