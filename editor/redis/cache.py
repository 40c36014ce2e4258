"""Django's cache in Redis; while Redis is unavailable, in the memory of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from editor.redis import options
from editor.redis.health import AWAY, health


class FallbackCache(BaseCache):
    """No call fails or waits long if Redis is unavailable; its contents are not visible meanwhile."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = RedisCache(server, {**params, "OPTIONS": options.blocking()})
        self._own = LocMemCache(f"instead of {server}", params)

    def _call(self, do: Callable[[BaseCache], Any]) -> Any:
        if health.may_ask():
            try:
                result = do(self._shared)
            except AWAY as error:
                health.failed(error)
            else:
                health.worked()
                return result
        return do(self._own)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._call(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._call(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._call(lambda cache: cache.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._call(lambda cache: cache.touch(key, timeout, version)))

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._call(lambda cache: cache.delete(key, version)))

    def has_key(self, key: Any, version: Any = None) -> bool:
        return bool(self._call(lambda cache: cache.has_key(key, version)))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return int(self._call(lambda cache: cache.incr(key, delta, version)))

    def get_many(self, keys: Any, version: Any = None) -> dict[Any, Any]:
        return dict(self._call(lambda cache: cache.get_many(keys, version)))

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        return list(self._call(lambda cache: cache.set_many(dict(data), timeout, version)))

    def delete_many(self, keys: Any, version: Any = None) -> None:
        self._call(lambda cache: cache.delete_many(keys, version))

    def clear(self) -> None:
        self._call(lambda cache: cache.clear())
