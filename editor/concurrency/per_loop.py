"""Values that belong to one event loop: semaphores, clients, limiters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Value = TypeVar("Value")


class PerLoop(Generic[Value]):
    """One value per event loop, created on first use and dropped with the loop."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, Value] = WeakKeyDictionary()

    def get(self) -> Value:
        """The running loop's value, created if necessary."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            self._values[loop] = self._make()
        return self._values[loop]

    def existing(self) -> Value | None:
        """The running loop's value, if it was created."""
        return self._values.get(asyncio.get_running_loop())

    def pop(self) -> Value | None:
        """Forget the running loop's value, and return it."""
        return self._values.pop(asyncio.get_running_loop(), None)

    def clear(self) -> None:
        """Forget the values of all loops."""
        self._values.clear()
