"""A few threads shared fairly between tenants.

A free thread goes to the waiting tenant with the fewest running calls, in turn if equal: a
workspace with three hundred jobs does not delay another workspace's first one.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Protocol


class Call(Protocol):
    """A call for a tenant. `execute` never raises."""

    tenant: str

    def execute(self) -> None: ...


class FairExecutor:
    """A few threads, each of which runs one call at a time; started on demand."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Call]] = {}  # in the order of the tenants' turns
        self._running: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0

    def submit(self, call: Call) -> None:
        with self._changed:
            waiting = sum(len(calls) for calls in self._waiting.values())
            if self._threads < self._slots and waiting >= self._idle:
                self._start_thread()
            self._waiting.setdefault(call.tenant, deque()).append(call)
            self._changed.notify()

    def _start_thread(self) -> None:
        # Daemon: a waiting or working thread must not delay the exit.
        thread = threading.Thread(target=self._work, name=f"fair-{self._threads + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine cannot start another thread
            if not self._threads:
                raise
        else:
            self._threads += 1

    def _work(self) -> None:
        while True:
            call = self._take()
            try:
                call.execute()
            finally:
                self._release(call.tenant)
            del call  # do not keep its arguments alive while idle

    def _take(self) -> Call:
        with self._changed:
            self._idle += 1
            while not self._waiting:
                self._changed.wait()
            self._idle -= 1
            tenant = min(self._waiting, key=lambda name: self._running[name])
            calls = self._waiting.pop(tenant)
            call = calls.popleft()
            if calls:
                self._waiting[tenant] = calls  # back in line, behind the others
            self._running[tenant] += 1
            return call

    def _release(self, tenant: str) -> None:
        with self._changed:
            self._running[tenant] -= 1
            if not self._running[tenant]:
                del self._running[tenant]
