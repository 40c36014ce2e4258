"""Waiting for what must come, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0  # seconds after which what has not come is taken as missing


def until(
    come: Callable[[], T],
    *,
    pause: Callable[[float], object] = time.sleep,
    otherwise: Callable[[], object] = lambda: "it did not come about",
) -> T:
    """What `come` gives, once that counts as true.

    pause      lets so many seconds pass
    otherwise  what to say when the patience is at its end
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := come()):
        assert time.monotonic() < deadline, otherwise()
        pause(0.05)
    return found
