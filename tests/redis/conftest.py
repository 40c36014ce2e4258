"""A real Redis, and a health state that no test leaves to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.redis import health
from tests.redis_server import RedisServer, redis_server


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh_verdict() -> Iterator[None]:
    health.health.worked()
    yield
    health.health.worked()
