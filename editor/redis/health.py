"""Whether Redis is asked or left alone for the moment: a circuit breaker for the whole process.

Without it every request would wait again for a server that does not answer.
"""

from __future__ import annotations

import logging
import threading
import time

from redis.exceptions import RedisError

log = logging.getLogger("editor.redis")

PATIENCE = 3.0  # seconds for one answer, or for a connection
AGAIN_AFTER = 2.0  # seconds; then one caller finds out whether it answers again

# What the client raises when no server answers. TimeoutError is an OSError.
AWAY = (RedisError, OSError)


class Health:
    """Safe in threads. The log gets one line when Redis goes away, and one when it is back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again_at: float | None = None

    @property
    def away(self) -> bool:
        return self._again_at is not None

    def may_ask(self) -> bool:
        """Whether the caller should ask Redis. While it is away, one caller at a time is told to."""
        with self._lock:
            now = time.monotonic()
            if self._again_at is None:
                return True
            if now < self._again_at:
                return False
            self._again_at = now + PATIENCE + AGAIN_AFTER
            return True

    def failed(self, error: BaseException) -> None:
        """Redis did not answer. `error` is one of AWAY."""
        with self._lock:
            first, self._again_at = self._again_at is None, time.monotonic() + AGAIN_AFTER
        if first:
            log.warning(
                "Redis does not respond (%s): until it does, each process counts limits by itself, and "
                "live updates are delayed",
                str(error) or type(error).__name__,
            )

    def worked(self) -> None:
        """Redis answered."""
        if self._again_at is None:
            return
        with self._lock:
            was_away, self._again_at = self._again_at is not None, None
        if was_away:
            log.warning("Redis responds again")


health = Health()
