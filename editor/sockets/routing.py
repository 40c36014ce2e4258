"""Which socket answers at which path."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import path, re_path

from editor.sockets.wiro import TaskConsumer
from editor.sockets.workspace import WorkspaceConsumer


async def nothing(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Refuses a socket at an address where there is none."""
    await receive()
    await send({"type": "websocket.close"})


# For pages of this portal, with a session.
urlpatterns = [path("ws/w/<slug:slug>/", WorkspaceConsumer.as_asgi()), re_path("", nothing)]
# For programs, at the path of Wiro's own socket too.
PROGRAMS = ("/ws/v1", "/v1")
programs = [path(address.removeprefix("/"), TaskConsumer.as_asgi()) for address in PROGRAMS]
