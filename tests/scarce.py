"""Simulates a machine that has run out of a resource."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
from collections.abc import Iterator
from pathlib import Path


class NoDescriptors:
    """From `begin` to `end` this process cannot open anything; open descriptors stay."""

    def __init__(self) -> None:
        self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._taken: list[int] = []

    def begin(self) -> None:
        gc.collect()  # so that leftovers of earlier tests are not closed in between
        gc.disable()
        highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, self._limits[1]))
        with contextlib.suppress(OSError):  # takes the free numbers below the limit
            while True:
                self._taken.append(os.dup(0))

    def end(self) -> None:
        gc.enable()
        resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)
        while self._taken:
            os.close(self._taken.pop())


@contextlib.contextmanager
def no_descriptors() -> Iterator[NoDescriptors]:
    """No descriptors within the block, unless it calls `end` earlier."""
    scarcity = NoDescriptors()
    scarcity.begin()
    try:
        yield scarcity
    finally:
        scarcity.end()
