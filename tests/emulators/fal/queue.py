"""The schedule of the queue: when each request starts."""

from __future__ import annotations

import heapq

from tests.emulators.fal.records import Queued


class Queue:
    """concurrency  requests that run at once; may be changed at any time, for later requests"""

    def __init__(self) -> None:
        self.concurrency = 40
        self._requests: list[Queued] = []
        self._busy_until: list[float] = []  # a heap: when the occupied slots become free

    def add(self, request: Queued) -> None:
        self._requests.append(request)
        self._place(request, now=request.at)

    def replan(self, now: float) -> None:
        """After a cancel: a slot may have become free for the waiting requests."""
        left = [request for request in self._requests if not request.is_done(now)]
        self._busy_until = [request.ends_at for request in left if request.starts_at <= now]
        heapq.heapify(self._busy_until)
        for request in left:
            if request.starts_at > now:
                self._place(request, now=now)

    def waiting_before(self, moment: float, *, now: float) -> int:
        """Requests in the queue that start before this moment."""
        return sum(
            now < request.starts_at < moment and not request.is_done(now) for request in self._requests
        )

    def _place(self, request: Queued, *, now: float) -> None:
        while self._busy_until and self._busy_until[0] <= now:
            heapq.heappop(self._busy_until)
        full = len(self._busy_until) >= self.concurrency
        request.starts_at = self._busy_until[0] if full else now
        if request.is_late:
            return
        if full:
            heapq.heappop(self._busy_until)
        heapq.heappush(self._busy_until, request.ends_at)
