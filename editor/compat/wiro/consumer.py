"""The socket for Wiro's clients: sends the steps of the tasks whose tokens they send.

A token grants access to its task (see access/task_tokens.py) as long as the key that started it works.
There is no session and no key here, and pages of any site may subscribe. Source: the contract of Wiro's
API, section 12.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from editor.access import credentials, lookups, task_tokens
from editor.concurrency.threads import in_thread, tenant
from editor.engine import waiting
from editor.errors import InvalidInput, NotFound
from editor.gateway import rights
from editor.gateway.middleware import check_host
from editor.gateway.profile import Headers
from editor.models import Job
from editor.queries import jobs as job_queries
from editor.representations import wiro

log = logging.getLogger("editor.sockets")

MOST_TASKS = 50  # on one connection at a time
LONGEST_FRAME = 4096  # characters
MOST_FRAMES = 1000  # from one client
IDLE_SECONDS = 60.0  # until a connection without tasks is closed
WRONG_HOST, ENDED, TOO_MUCH = 4400, 4401, 4429


class TaskConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Holds only memory while its tasks run."""

    async def connect(self) -> None:
        self.listening: dict[str, asyncio.Task[None]] = {}
        self.frames = 0
        self.idle: asyncio.TimerHandle | None = None
        self.gone = False
        self.ended = False  # access to a task was lost
        try:
            check_host(Headers(self.scope))
        except InvalidInput:
            await self.close(code=WRONG_HOST)
            return
        await self.accept()
        await self._send({"type": "connected", "version": "1.0"})
        self._wait_for_more()

    async def disconnect(self, code: int) -> None:
        self._stop()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.gone:  # a frame in flight when the connection was closed
            return
        self.frames += 1
        if self.frames > MOST_FRAMES or len(text_data or bytes_data or "") > LONGEST_FRAME:
            self._stop()
            await self.close(code=TOO_MUCH)
            return
        if text_data is None:  # audio in Wiro's API
            return
        request = _table(text_data)
        if request is None:
            await self._refuse("frame-invalid")
        elif request.get("type") == "task_info":
            await self._subscribe(request.get("tasktoken"))

    async def _subscribe(self, token: Any) -> None:
        """Start sending a task's steps. As at Wiro, unknown tasks are ignored silently."""
        if not isinstance(token, str) or not token:
            await self._refuse("tasktoken-required")
            return
        job_id = task_tokens.read(token)
        if job_id is None or token in self.listening:
            return
        if len(self.listening) >= MOST_TASKS:
            await self._refuse("too-many-tasks")
            return
        try:
            job = await in_thread(lookups.linked_job, job_id)
        except NotFound:
            return
        if self.gone:
            return
        task = asyncio.create_task(self._send_steps(job))
        self.listening[token] = task
        task.add_done_callback(partial(self._task_done, token))

    def _task_done(self, token: str, task: asyncio.Task[None]) -> None:
        del self.listening[token]
        if not task.cancelled() and (error := task.exception()):
            log.warning("could not send the further steps of a task", exc_info=error)
        if self.ended and not self.listening and not self.gone:
            self._close(ENDED)
        else:
            self._wait_for_more()

    async def _send_steps(self, job: Job) -> None:
        """Send all steps of the job from the first one, until it ends or access to it is lost."""
        tenant.set(str(job.workspace_id))
        after, base_url = 0, settings.BASE_URL or job.origin or _origin(self.scope)
        async with (
            rights.watching(credentials.holder_of_job(job)) as lost,
            waiting.watching(job) as watch,
        ):
            lost.add_done_callback(lambda _: watch.changed.set())
            while True:
                watch.changed.clear()
                if lost.done():
                    await self._refuse("tasktoken-ended")
                    self.ended = True
                    return
                last = watch.ended.is_set()  # before the read, so that the row is not older than the end
                row, steps = await in_thread(job_queries.read_with_events, job.id, after)
                for step in steps:
                    after = step.pk
                    for frame in wiro.frames(row, step, base_url=base_url):
                        await self._send(frame)
                if last or row.has_ended:  # not ended at the last read: the portal is about to stop
                    return
                await watch.changed.wait()

    def _wait_for_more(self) -> None:
        """Close the connection some time after its last task."""
        if self.idle:
            self.idle.cancel()
        if not self.gone:
            self.idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if not self.listening and not self.gone:
            self._close()

    def _close(self, code: int | None = None) -> None:
        self._stop()
        self.closing = asyncio.create_task(self.close(code=code))

    def _stop(self) -> None:
        """Stop sending and receiving: a connection must not be closed twice."""
        self.gone = True
        if self.idle:
            self.idle.cancel()
        for task in self.listening.values():
            task.cancel()

    async def _refuse(self, message: str) -> None:
        await self._send({"type": "error", "message": message, "result": False})

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))


def _table(text: str) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _origin(scope: dict[str, Any]) -> str:
    """Scheme and host of links for this client."""
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return f"{scheme}://{Headers(scope).get('host')}"
