"""Providers whose result is there at once."""

from __future__ import annotations

import uuid

import pytest

from editor.access.actor import Actor
from editor.models import Job
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import registry
from editor.providers.base import EditRequest, Progress, Provider, Result, ResultImage, Submitted
from tests.factories import make_actor, photo

DONE = Result(images=(ResultImage(photo(), "image/png"),))


class Ready(Provider):
    """Returns the result at the first poll, or with the submit."""

    name = label = "sandbox"
    needs_key = False

    def __init__(self, *, at_once: bool) -> None:
        self.immediate = at_once

    async def submit(self, request: EditRequest) -> Submitted:
        return Submitted(task_id=uuid.uuid4().hex, result=DONE if self.immediate else None)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        return DONE


def start(monkeypatch: pytest.MonkeyPatch, *, at_once: bool = False) -> tuple[Actor, Job]:
    provider = Ready(at_once=at_once)
    monkeypatch.setattr(registry, "get", lambda name: provider)
    actor = make_actor(balance=10)
    return actor, jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour"))
