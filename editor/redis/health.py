"""A circuit breaker for Redis, for the whole process.

Without it every request would wait for a server that does not respond.
"""

from __future__ import annotations

import logging
import threading
import time

from redis.exceptions import RedisError

log = logging.getLogger("editor.redis")

PATIENCE = 3.0  # seconds for one response, or for a connection
AGAIN_AFTER = 2.0  # seconds until one caller tries again

# What the client raises if the server does not respond. TimeoutError is an OSError.
AWAY = (RedisError, OSError)


class Health:
    """Thread-safe. Logs one line when Redis becomes unavailable, and one when it is back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again_at: float | None = None

    @property
    def away(self) -> bool:
        return self._again_at is not None

    def may_ask(self) -> bool:
        """Whether the caller should use Redis. While it is unavailable, one caller at a time tries."""
        with self._lock:
            now = time.monotonic()
            if self._again_at is None:
                return True
            if now < self._again_at:
                return False
            self._again_at = now + PATIENCE + AGAIN_AFTER
            return True

    def failed(self, error: BaseException) -> None:
        """Redis did not respond. `error` is one of AWAY."""
        with self._lock:
            first, self._again_at = self._again_at is None, time.monotonic() + AGAIN_AFTER
        if first:
            log.warning(
                "Redis does not respond (%s): until it does, each process counts limits by itself, and "
                "live updates are delayed",
                str(error) or type(error).__name__,
            )

    def worked(self) -> None:
        """Redis responded."""
        if self._again_at is None:
            return
        with self._lock:
            was_away, self._again_at = self._again_at is not None, None
        if was_away:
            log.warning("Redis responds again")


health = Health()
