"""Rate limits per minute, counted in Redis if it is configured, otherwise in this process.

The window slides: the last sixty seconds count. While Redis is configured but unavailable, each
process counts on its own, so limits still apply, but per process.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.storage.redis import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import BlockingConnectionPool

from editor.concurrency.per_loop import PerLoop
from editor.redis import options
from editor.redis.health import AWAY, PATIENCE, health

WINDOW = 60  # seconds
REDIS_CONNECTIONS = 10


class _Limiters:
    """The limiters of one event loop: its own, and the one shared with other processes, if any."""

    def __init__(self) -> None:
        self.own = MovingWindowRateLimiter(MemoryStorage())
        self.shared = MovingWindowRateLimiter(_redis()) if settings.REDIS_URL else None


_limiters = PerLoop(_Limiters)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit.

    limit      requests a minute
    remaining  how many more are allowed now
    reset      when the oldest counted request stops counting, in Unix seconds
    allowed    False: this request exceeds the limit
    """

    limit: int
    remaining: int
    reset: int
    allowed: bool = True

    @property
    def retry_after(self) -> int:
        """Seconds until another request is allowed."""
        return min(max(1, math.ceil(self.reset - time.time())), WINDOW)


async def take(name: str, *, per_minute: int) -> Allowance:
    """Count one request; rejected requests do not count."""
    item = RateLimitItemPerMinute(per_minute)

    async def hit(limiter: MovingWindowRateLimiter) -> Allowance:
        allowed = await limiter.hit(item, name)
        stats = await limiter.get_window_stats(item, name)
        return _allowance(per_minute, stats.remaining, stats.reset_time, allowed=allowed)

    return await _counted(hit)


async def look(name: str, *, per_minute: int) -> Allowance:
    """What is left, without counting a request; `allowed` is whether another one would be."""

    async def read(limiter: MovingWindowRateLimiter) -> Allowance:
        stats = await limiter.get_window_stats(RateLimitItemPerMinute(per_minute), name)
        return _allowance(per_minute, stats.remaining, stats.reset_time, allowed=stats.remaining > 0)

    return await _counted(read)


async def _counted(count: Callable[[MovingWindowRateLimiter], Awaitable[Allowance]]) -> Allowance:
    limiters = _limiters.get()
    if limiters.shared is not None and health.may_ask():
        try:
            async with asyncio.timeout(PATIENCE):
                allowance = await count(limiters.shared)
        except AWAY as error:
            health.failed(error)
        else:
            health.worked()
            return allowance
    return await count(limiters.own)


def _allowance(limit: int, remaining: int, reset: float, *, allowed: bool) -> Allowance:
    return Allowance(limit=limit, remaining=remaining, reset=math.ceil(reset), allowed=allowed)


def _redis() -> RedisStorage:
    return RedisStorage(
        f"async+{settings.REDIS_URL}",
        implementation="redispy",
        connection_pool=_connections(),  # type: ignore[arg-type]
    )


def _connections() -> BlockingConnectionPool:
    return BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=REDIS_CONNECTIONS,
        timeout=PATIENCE,
        **options.asynchronous(),
    )
