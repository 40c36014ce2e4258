"""Requests a minute, exactly, in this process and in Redis."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
from pytest_django import Settings

from editor.access import rate_limits


async def test_of_two_hundred_at_once_exactly_sixty_pass() -> None:
    taken = await asyncio.gather(*(rate_limits.take("w", per_minute=60) for _ in range(200)))
    assert sum(one.allowed for one in taken) == 60
    assert min(one.remaining for one in taken) == 0


async def test_what_is_left_is_told() -> None:
    began = time.time()
    first = await rate_limits.take("w", per_minute=3)
    assert (first.limit, first.remaining, first.allowed) == (3, 2, True)
    assert began + 60 <= first.reset <= time.time() + 61
    looked = await rate_limits.look("w", per_minute=3)
    assert (looked.remaining, looked.allowed) == (2, True)


async def test_names_are_counted_apart() -> None:
    await rate_limits.take("one", per_minute=1)
    assert (await rate_limits.take("other", per_minute=1)).allowed
    refused = await rate_limits.take("one", per_minute=1)
    assert not refused.allowed
    assert 1 <= refused.retry_after <= 60


async def test_without_its_redis_everything_is_allowed_and_said_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    name = uuid.uuid4().hex
    assert (await rate_limits.take(name, per_minute=1)).allowed
    assert (await rate_limits.look(name, per_minute=1)).allowed
    assert "could not be counted" in caplog.text
