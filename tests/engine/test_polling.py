"""Learning from slow tasks how long others of their kind will take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from editor.engine import polling, wakeups
from editor.engine.poll_schedule import Expected
from editor.models import Job
from editor.providers.base import EditRequest, Progress, Provider, Result, Submitted
from editor.providers.failures import temporary

HOUR = 3600.0
DONE = Result(images=())
REQUEST = EditRequest(job_id="1", tenant="t", model="m", target="slow", prompt="warmer")


class Slow(Provider):
    """Done at the third poll."""

    name = label = "slow"
    shortest_wait = 0.01

    def __init__(self) -> None:
        self._answers: Iterator[Progress | Result] = iter([Progress(wait=0.01), Progress(wait=0.01), DONE])

    async def submit(self, request: EditRequest) -> Submitted:
        raise NotImplementedError

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        return next(self._answers)


class Busy(Slow):
    """Requires a pause at the first poll and sends a wake-up at the same time. `polls`: their times."""

    PAUSE = 0.3  # seconds

    def __init__(self) -> None:
        super().__init__()
        self.polls: list[float] = []

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        self.polls.append(asyncio.get_running_loop().time())
        if len(self.polls) == 1:
            for job_id in wakeups._waiting:
                wakeups.wake(job_id)
            raise temporary(retry_after=self.PAUSE)
        return DONE


async def follow(*, seconds_ago: float, resumed: bool = False, provider: Provider | None = None) -> None:
    job = Job(provider="slow", target="slow", submitting_at=timezone.now() - timedelta(seconds=seconds_ago))
    task = Submitted(task_id="1")
    assert await polling.follow(job, REQUEST, provider or Slow(), task, resumed=resumed) == DONE


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> Expected:
    expected = Expected(seconds=0.1, spread=0.01)
    monkeypatch.setitem(polling._expected, ("slow", "slow"), expected)
    return expected


async def test_a_late_task_raises_the_estimate_before_and_at_its_end(expected: Expected) -> None:
    await follow(seconds_ago=HOUR)
    # A fifth of the way to an hour, twice. The tolerance allows for a slow machine.
    assert expected.seconds == pytest.approx(0.36 * HOUR, rel=0.02)


async def test_a_resumed_task_does_not_change_the_estimate(expected: Expected) -> None:
    await follow(seconds_ago=HOUR, resumed=True)
    assert expected.seconds == 0.1


async def test_a_wakeup_does_not_shorten_a_pause_that_the_provider_requires(expected: Expected) -> None:
    provider = Busy()
    await follow(seconds_ago=0, provider=provider)
    first, second = provider.polls
    assert second - first >= Busy.PAUSE
