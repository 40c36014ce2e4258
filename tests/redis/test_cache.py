"""The cache during and after outages of Redis."""

from __future__ import annotations

import pytest

from editor.redis import health
from editor.redis.cache import FallbackCache
from tests.redis_server import RedisServer


@pytest.fixture
def cache(redis: RedisServer) -> FallbackCache:
    return FallbackCache(redis.url, {})


def test_values_are_shared_by_processes(cache: FallbackCache, redis: RedisServer) -> None:
    cache.set("history", [1.5], 60)
    cache.set_many({"one": 1, "two": 2})
    other = FallbackCache(redis.url, {})
    assert other.get("history") == [1.5]
    assert other.get_many(["one", "two", "three"]) == {"one": 1, "two": 2}
    assert other.incr("one", 4) == 5
    assert not other.add("one", 9)
    assert other.touch("two", 60)
    assert "two" in other
    other.delete_many(["one", "two"])
    assert cache.get("one", "none") == "none"


@pytest.mark.parametrize("hurt", [RedisServer.stop, RedisServer.hang], ids=["down", "hanging"])
def test_without_its_server_it_caches_locally_and_logs_once(
    cache: FallbackCache,
    redis: RedisServer,
    hurt: object,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache.set("history", [1.5], 60)
    # No retry within this test.
    monkeypatch.setattr(health, "AGAIN_AFTER", 600.0)
    hurt(redis)  # type: ignore[operator]
    assert cache.get("history") is None
    assert cache.add("lock", True, 10)
    assert not cache.add("lock", True, 10)
    cache.set("history", [2.5], 60)
    assert cache.get("history") == [2.5]
    cache.delete("lock")
    assert len(caplog.records) == 1


def test_a_restarted_server_is_used_again(
    cache: FallbackCache, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "AGAIN_AFTER", 0.0)
    cache.set("name", "old")
    redis.stop()
    cache.set("name", "own")
    redis.start()
    cache.set("name", "new")
    assert FallbackCache(redis.url, {}).get("name") == "new"
