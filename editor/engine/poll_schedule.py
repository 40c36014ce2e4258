"""When to ask a provider again: rarely while the end is far, often when it is near, less when it is late."""

from __future__ import annotations

import random
from dataclasses import dataclass

LONGEST_WAIT = 10.0  # seconds
# The part of each wait that is cut off at random, so that jobs that began together do not ask together.
# Only ever cut off: after a long wait, a tenth more would be seconds after the end.
JITTER = 0.1
# How much the newest task counts in what is expected of the next.
WEIGHT = 0.2


@dataclass(slots=True)
class Expected:
    """How long tasks of one kind take, in seconds, and by how much they differ from that."""

    seconds: float
    spread: float

    @classmethod
    def unknown(cls, typical: float) -> Expected:
        """Before the first task has ended; `typical` is the catalogue's word."""
        return cls(seconds=typical, spread=typical / 4)

    @property
    def opens(self) -> float:
        """Seconds after which the end is likely to come."""
        return self.seconds - 2 * self.spread

    @property
    def closes(self) -> float:
        """Seconds after which a task is late."""
        return self.seconds + 2 * self.spread

    def learn(self, seconds: float) -> None:
        """A task ended after so many seconds, or (to be told once of each) is late after so many."""
        off = seconds - self.seconds
        self.seconds += WEIGHT * off
        self.spread += WEIGHT * (abs(off) - self.spread)


def next_wait(*, elapsed: float, expected: Expected, shortest: float) -> float:
    """Seconds until the next poll of a task that was submitted `elapsed` seconds ago.

    The window in which the end is likely is asked about closely; before it nobody asks, after it
    the waits grow with the delay.
    """
    if elapsed < expected.opens:
        wait = expected.opens - elapsed
    else:
        wait = expected.spread / 3 + max(0.0, elapsed - expected.closes) / 6
    wait = min(max(wait, shortest), LONGEST_WAIT)
    return wait * random.uniform(1 - JITTER, 1)  # noqa: S311 (no secret)
