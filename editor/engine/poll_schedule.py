"""When to poll a provider: rarely long before the expected end, often around it, less when late."""

from __future__ import annotations

import random
from dataclasses import dataclass

LONGEST_WAIT = 10.0  # seconds
# The share of each wait that is cut off at random, so that jobs that began together do not poll together.
# Waits are only shortened: a tenth more of a long wait would be seconds after the end.
JITTER = 0.1
# The weight of the newest task in the expectation for the next.
WEIGHT = 0.2


@dataclass(slots=True)
class Expected:
    """How long tasks of one kind take, and their mean deviation, in seconds."""

    seconds: float
    spread: float

    @classmethod
    def unknown(cls, typical: float) -> Expected:
        """The expectation before the first task has ended; `typical` comes from the catalogue."""
        return cls(seconds=typical, spread=typical / 4)

    @property
    def opens(self) -> float:
        """Seconds after which the end is likely."""
        return self.seconds - 2 * self.spread

    @property
    def closes(self) -> float:
        """Seconds after which a task is late."""
        return self.seconds + 2 * self.spread

    def learn(self, seconds: float) -> None:
        """Learn that a task ended after `seconds`, or is late after `seconds` (once per task)."""
        off = seconds - self.seconds
        self.seconds += WEIGHT * off
        self.spread += WEIGHT * (abs(off) - self.spread)


def next_wait(*, elapsed: float, expected: Expected, shortest: float) -> float:
    """Seconds until the next poll of a task that was submitted `elapsed` seconds ago.

    Polls are frequent in the window in which the end is likely. There are none before it, and after
    it the waits grow with the delay.
    """
    if elapsed < expected.opens:
        wait = expected.opens - elapsed
    else:
        wait = expected.spread / 3 + max(0.0, elapsed - expected.closes) / 6
    wait = min(max(wait, shortest), LONGEST_WAIT)
    return wait * random.uniform(1 - JITTER, 1)  # noqa: S311 (no secret)
