"""How many requests a minute: counted in this process, or in Redis where several processes share them.

The window slides: at any moment the last sixty seconds count.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.storage.redis import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

log = logging.getLogger("editor.limits")

WINDOW = 60  # seconds
REDIS_CONNECTIONS = 10
REDIS_PATIENCE = 5  # seconds

_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, MovingWindowRateLimiter] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit.

    limit      requests a minute
    remaining  how many more are allowed now
    reset      when the oldest one that counts stops counting: seconds since 1970
    allowed    False: this request was one too many
    """

    limit: int
    remaining: int
    reset: int
    allowed: bool = True

    @property
    def retry_after(self) -> int:
        """Seconds until one more is allowed."""
        return min(max(1, math.ceil(self.reset - time.time())), WINDOW)


async def take(name: str, *, per_minute: int) -> Allowance:
    """Count one request; one that is not allowed does not count.

    Without Redis, where it is configured but away, everything is allowed: a portal whose limits
    cannot be counted still serves its users.
    """
    limiter, item = _limiter(), RateLimitItemPerMinute(per_minute)
    try:
        allowed = await limiter.hit(item, name)
        stats = await limiter.get_window_stats(item, name)
    except (RedisError, OSError):
        log.exception("the limits of requests could not be counted")
        return Allowance(limit=per_minute, remaining=per_minute, reset=int(time.time()) + WINDOW)
    return _allowance(per_minute, stats.remaining, stats.reset_time, allowed=allowed)


async def look(name: str, *, per_minute: int) -> Allowance:
    """What is left, without counting anything; `allowed` says whether one more would be."""
    try:
        stats = await _limiter().get_window_stats(RateLimitItemPerMinute(per_minute), name)
    except (RedisError, OSError):
        log.exception("the limits of requests could not be read")
        return Allowance(limit=per_minute, remaining=per_minute, reset=int(time.time()) + WINDOW)
    return _allowance(per_minute, stats.remaining, stats.reset_time, allowed=stats.remaining > 0)


def _allowance(limit: int, remaining: int, reset: float, *, allowed: bool) -> Allowance:
    return Allowance(limit=limit, remaining=remaining, reset=math.ceil(reset), allowed=allowed)


def _limiter() -> MovingWindowRateLimiter:
    loop = asyncio.get_running_loop()
    if loop not in _limiters:
        _limiters[loop] = MovingWindowRateLimiter(_storage())
    return _limiters[loop]


def _storage() -> MemoryStorage | RedisStorage:
    if not settings.REDIS_URL:
        return MemoryStorage()
    pool = BlockingConnectionPool.from_url(
        settings.REDIS_URL, max_connections=REDIS_CONNECTIONS, timeout=REDIS_PATIENCE
    )
    return RedisStorage(f"async+{settings.REDIS_URL}", implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]
