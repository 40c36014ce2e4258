"""A browser's end of a workspace's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from editor.db import in_thread
from editor.models import User
from imageeditor.asgi import application
from tests.web.requests import signed_in


@dataclass
class Page:
    socket: ApplicationCommunicator
    accepted: bool = False

    async def answer(self, timeout: float = 5) -> dict[str, Any]:
        output: dict[str, Any] = await self.socket.receive_output(timeout)
        self.accepted = self.accepted or output["type"] == "websocket.accept"
        return output

    async def next(self, timeout: float = 5) -> str:
        """The next message's text."""
        text: str = (await self.answer(timeout))["text"]
        return text

    async def all(self, *, quiet: float = 0.4) -> list[str]:
        """The messages that come until it has been quiet for so many seconds."""
        messages = []
        while not await self.socket.receive_nothing(quiet, 0.02):
            messages.append(await self.next())
        return messages

    async def say(self, **content: Any) -> None:
        await self.socket.send_input({"type": "websocket.receive", **content})


@asynccontextmanager
async def listen(
    viewer: User | Client | None, slug: str, *, query: str = "", origin: str = "http://localhost"
) -> AsyncIterator[Page]:
    """Connect as the page of `viewer` does, of a client in its session; None is nobody who is signed in."""
    headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
    if viewer is not None:
        client = viewer if isinstance(viewer, Client) else await in_thread(signed_in, viewer)
        key = client.cookies["sessionid"].value
        headers.append((b"cookie", f"sessionid={key}".encode()))
    scope = {
        "type": "websocket",
        "path": f"/ws/w/{slug}/",
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
    }
    page = Page(ApplicationCommunicator(application, scope))
    await page.socket.send_input({"type": "websocket.connect"})
    await page.answer()
    yield page
    await page.socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await page.socket.wait(5)
