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
        return cls(seconds=typical, spread=typical / 2)

    def learn(self, seconds: float) -> None:
        """A task ended after so many seconds."""
        off = seconds - self.seconds
        self.seconds += WEIGHT * off
        self.spread += WEIGHT * (abs(off) - self.spread)


def next_wait(*, elapsed: float, expected: Expected, shortest: float) -> float:
    """Seconds until the next poll of a task that was submitted `elapsed` seconds ago.

    The window in which the end is likely is asked about closely; before it one look in between
    is enough, after it the waits grow with the delay.
    """
    opens = expected.seconds - 2 * expected.spread
    closes = expected.seconds + 2 * expected.spread
    if elapsed < opens:
        wait = opens - elapsed
    elif elapsed <= closes:
        wait = expected.spread / 4
    else:
        wait = (elapsed - closes) / 4
    wait = min(max(wait, shortest), LONGEST_WAIT)
    return wait * random.uniform(1 - JITTER, 1)  # noqa: S311 (no secret)
