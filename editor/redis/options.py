"""Options of Redis clients: short timeouts, and one retry on a new connection.

Pooled connections are dead after a restart of the server.
"""

from __future__ import annotations

from typing import Any

import redis.asyncio.retry
import redis.retry
from redis.backoff import NoBackoff

from editor.redis.health import PATIENCE

_TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}


def blocking() -> dict[str, Any]:
    """For clients that block their thread."""
    return {**_TIMEOUTS, "retry": redis.retry.Retry(NoBackoff(), 1)}


def asynchronous() -> dict[str, Any]:
    """For clients on an event loop."""
    return {**_TIMEOUTS, "retry": redis.asyncio.retry.Retry(NoBackoff(), 1)}
