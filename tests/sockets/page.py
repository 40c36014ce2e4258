"""A browser's end of a workspace's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from editor import events
from editor.db import in_thread
from editor.models import User, Workspace
from imageeditor.asgi import application
from tests.patience import PATIENCE
from tests.web.requests import signed_in

GONE = "You are not a member of this workspace any more."


@dataclass
class Page:
    socket: ApplicationCommunicator
    user: User | None
    slug: str
    accepted: bool = False

    async def answer(self) -> dict[str, Any]:
        output: dict[str, Any] = await self.socket.receive_output(PATIENCE)
        self.accepted = self.accepted or output["type"] == "websocket.accept"
        return output

    async def next(self) -> str:
        """The next message's text."""
        text: str = (await self.answer())["text"]
        return text

    async def until(self, words: str) -> list[str]:
        """The messages up to the first that holds these words."""
        messages = [await self.next()]
        while words not in messages[-1]:
            messages.append(await self.next())
        return messages

    async def told(self) -> list[str]:
        """All that it is told of what has happened until now; it is of no use afterwards.

        That it should go is published last, and changes no row: what comes before that was told.
        """
        await in_thread(self._send_away)
        return (await self.until(GONE))[:-1]

    def _send_away(self) -> None:
        assert self.user is not None
        workspace = Workspace.objects.get(slug=self.slug)
        events.publish(events.MemberRemoved(workspace_id=workspace.id, user_id=self.user.pk))

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
    user = viewer if isinstance(viewer, User) else None
    page = Page(ApplicationCommunicator(application, scope), user, slug)
    await page.socket.send_input({"type": "websocket.connect"})
    await page.answer()
    yield page
    await page.socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await page.socket.wait(PATIENCE)
