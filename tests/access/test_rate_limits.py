"""Exact limits of requests per minute, in this process and in Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from pytest_django import Settings
from redis.asyncio import BlockingConnectionPool

from editor.access import rate_limits
from editor.redis import health
from tests.redis_server import RedisServer, redis_server


async def test_of_two_hundred_concurrent_requests_exactly_sixty_pass() -> None:
    taken = await asyncio.gather(*(rate_limits.take("w", per_minute=60) for _ in range(200)))
    assert sum(one.allowed for one in taken) == 60
    assert min(one.remaining for one in taken) == 0


async def test_the_remaining_requests_are_reported() -> None:
    began = time.time()
    first = await rate_limits.take("w", per_minute=3)
    assert (first.limit, first.remaining, first.allowed) == (3, 2, True)
    assert began + 60 <= first.reset <= time.time() + 61
    looked = await rate_limits.look("w", per_minute=3)
    assert (looked.remaining, looked.allowed) == (2, True)


async def test_names_are_counted_separately() -> None:
    await rate_limits.take("one", per_minute=1)
    assert (await rate_limits.take("other", per_minute=1)).allowed
    refused = await rate_limits.take("one", per_minute=1)
    assert not refused.allowed
    assert 1 <= refused.retry_after <= 60


@pytest.fixture
async def redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisServer]:
    pools: list[BlockingConnectionPool] = []
    make = rate_limits._connections

    def noted() -> BlockingConnectionPool:
        pools.append(make())
        return pools[-1]

    monkeypatch.setattr(rate_limits, "_connections", noted)
    health.health.worked()
    with redis_server() as server:
        settings.REDIS_URL = server.url
        yield server
        for pool in pools:
            await pool.disconnect()
    health.health.worked()


async def test_processes_count_together(redis: RedisServer) -> None:
    assert (await rate_limits.take("w", per_minute=2)).remaining == 1
    rate_limits._limiters.clear()  # like another process, without the state of the first
    assert (await rate_limits.take("w", per_minute=2)).remaining == 0
    assert not (await rate_limits.look("w", per_minute=2)).allowed


@pytest.mark.parametrize("hurt", [RedisServer.stop, RedisServer.hang], ids=["down", "hanging"])
async def test_without_redis_the_process_counts_alone_and_logs_it_once(
    redis: RedisServer,
    hurt: Callable[[RedisServer], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(health, "AGAIN_AFTER", 600.0)
    hurt(redis)
    taken = await asyncio.gather(*(rate_limits.take("w", per_minute=60) for _ in range(200)))
    assert sum(one.allowed for one in taken) == 60
    assert not (await rate_limits.look("w", per_minute=60)).allowed
    assert len(caplog.records) == 1
    assert "Redis does not respond" in caplog.text
