"""ASGI types: mappings, as in Starlette and httpx.

`asgiref.typing` has an exact type for each kind of scope and message. They do not fit here: a scope
could not hold what the gateway middleware adds, `trailers` and `more_body` would not be optional, and
the MCP SDK and httpx would not accept such an app.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
