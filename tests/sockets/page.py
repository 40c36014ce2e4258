"""A browser's end of a workspace's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from editor import events
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.models import User, Workspace
from editor.sockets.workspace import WorkspaceConsumer
from imageeditor.asgi import application
from tests.patience import PATIENCE
from tests.web.requests import signed_in

NOT_A_MEMBER = 4403  # the code that closes a socket
MARK = "all that was published before has been told"


async def _send_mark(consumer: WorkspaceConsumer, event: dict[str, Any]) -> None:
    await consumer.send(text_data=MARK)


WorkspaceConsumer.test_mark = _send_mark


@dataclass
class Page:
    socket: ApplicationCommunicator
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

    async def until(self, message: str) -> list[str]:
        """The messages up to the first that contains `message`."""
        messages = [await self.next()]
        while message not in messages[-1]:
            messages.append(await self.next())
        return messages

    async def reported(self) -> list[str]:
        """All messages about what has happened until now."""
        await in_thread(self._mark)
        return (await self.until(MARK))[:-1]

    def _mark(self) -> None:
        """Publish a mark like an event, after all events."""
        loop = threads.waiting_loop.get()
        assert loop
        group = events.group_name(Workspace.objects.get(slug=self.slug).id)
        mark: dict[str, str | bool] = {"type": "test.mark"}
        loop.call_soon_threadsafe(events._begin_sending, group, mark)

    async def say(self, **content: Any) -> None:
        await self.socket.send_input({"type": "websocket.receive", **content})


@asynccontextmanager
async def listen(
    viewer: User | Client | None,
    slug: str,
    *,
    query: str = "",
    host: str = "localhost",
    origin: str = "http://localhost",
    app: Any = application,
) -> AsyncIterator[Page]:
    """Connect like the page of `viewer`, a user or a client with its session; None is not signed in."""
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
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
    page = Page(ApplicationCommunicator(app, scope), slug)
    await page.socket.send_input({"type": "websocket.connect"})
    await page.answer()
    yield page
    await page.socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await page.socket.wait(PATIENCE)
