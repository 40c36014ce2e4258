"""Paths of the websockets."""

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from editor.compat.wiro.consumer import TaskConsumer
from editor.sockets.workspace import WorkspaceConsumer


class Nothing(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Refuses a socket at an unknown path."""

    async def connect(self) -> None:
        await self.close()


# For pages of this portal, with a session.
urlpatterns = [path("ws/w/<slug:slug>/", WorkspaceConsumer.as_asgi()), re_path("", Nothing.as_asgi())]
# For programs, at the path of Wiro's own socket too.
PROGRAMS = ("/ws/v1", "/v1")
programs = [path(address.removeprefix("/"), TaskConsumer.as_asgi()) for address in PROGRAMS]
