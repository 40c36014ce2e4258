"""The base of all emulators: the app, its clock, its tasks, its faults, and callbacks.

    with Bfl() as bfl:
        ... bfl.url, bfl.key ...
        assert len(bfl.tasks) == 1

or as a fixture:

    @pytest.fixture
    def bfl() -> Iterator[Bfl]:
        with Bfl() as emulator:
            yield emulator

When run by hand (`python -m tests.emulators`), set faults over HTTP:

    POST /_control {"on": "submit|poll|download|cancel|upload", "fault": "...", "times": 2}
    Without "times": until {"on": "...", "fault": null}. GET /_control returns counts and the next faults.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from email.utils import formatdate
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tests.emulators.faults import (
    NOT_AN_IMAGE,
    REFUSED,
    SPOILT,
    Fault,
    Script,
    Step,
    bad_gateway,
    huge,
    spoil,
)
from tests.emulators.pictures import Picture
from tests.emulators.records import Call, Callback, Refused, Task
from tests.emulators.server import Server

Handler = Callable[[Request, Fault | None], Awaitable[Response]]


class Emulator:
    """One provider. Tests may change every public attribute at any time.

    key           the only key it accepts
    secret        the key's second half, if the provider signs requests with one
    seconds       how long tasks take that are submitted from now on
    ahead         seconds by which its clock is ahead of the machine's: += 601 makes links expire;
                  see `stop_clock` too
    longest_side  pixels; results are shrunk to it. None: as large as requested
    script        the faults to come
    tasks         every task it accepted, in order
    calls         every request to its endpoints, in order, refused ones too
    callbacks     every callback it sent
    """

    name: ClassVar[str] = ""  # as in the names of environment variables, in lower case
    base_path: ClassVar[str] = ""  # the path of the provider's documented base URL
    callback_waits: tuple[float, ...] = (0.05, 0.1)  # seconds before each retry

    def __init__(
        self,
        *,
        key: str = "test-key",
        seconds: float = 0.05,
        longest_side: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.key = key
        self.secret: str | None = None
        self.seconds = seconds
        self.longest_side = longest_side
        self.ahead = 0.0
        self._stopped_at: float | None = None
        self.script = Script()
        self.tasks: list[Task] = []
        self.calls: list[Call] = []
        self.callbacks: list[Callback] = []
        self._known: dict[str, Task] = {}
        self._bugs: list[Exception] = []
        self._background: set[asyncio.Task[None]] = set()
        control = Route("/_control", self._control, methods=["GET", "POST"])
        self.app = Starlette(routes=[control, *self.routes()], exception_handlers={HTTPException: self._lost})
        self.app.router.redirect_slashes = False
        self._server = Server(self.app, host=host, port=port)

    # Overridden by each provider.

    def routes(self) -> list[BaseRoute]:
        """The endpoints; see `route`."""
        raise NotImplementedError

    def refusal(self, fault: Fault) -> Response:
        """The response to a fault of REFUSED other than BAD_GATEWAY, which is the same everywhere."""
        raise NotImplementedError

    def lost(self, request: Request, status: int) -> Response:
        """The response to an unknown path (404) or method (405)."""
        raise NotImplementedError

    def link_not_found(self) -> Response:
        """The file server's response for a missing file."""
        return Response("Not Found", 404, media_type="text/plain")

    def link_expired(self) -> Response:
        """The file server's response for an expired link."""
        return self.link_not_found()

    def environment(self) -> dict[str, str]:
        """The portal's settings for this emulator."""
        prefix = self.name.upper()
        return {f"{prefix}_BASE_URL": self.url + self.base_path, f"{prefix}_API_KEY": self.key}

    # Running.

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{self._server.host}:{self._server.port}"

    def start(self) -> None:
        """Listen; after a stop on the same port again, with all its state."""
        self._server.start()

    def stop(self) -> None:
        """Refuse new connections and reset the open ones."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._bugs and error is None:
            raise self._bugs[0]

    # For the providers.

    def now(self) -> float:
        """Unix seconds by the emulator's clock."""
        return (time.time() if self._stopped_at is None else self._stopped_at) + self.ahead

    def stop_clock(self) -> None:
        """From now on time passes only by `ahead`, so that a test controls the state of its tasks."""
        self._stopped_at = math.floor(time.time())  # whole seconds, so that sums with it are exact

    def route(self, method: str, path: str, handler: Handler, step: Step | None = None) -> Route:
        """An endpoint that is counted, and that has faults if it is a step."""

        async def endpoint(request: Request) -> Response:
            call = Call(step, request.method, str(request.url), dict(request.headers), self.now())
            self.calls.append(call)
            response = await self._respond(request, handler, self.script.take(step) if step else None)
            response.headers.setdefault("date", formatdate(self.now(), usegmt=True))
            call.status = response.status_code
            return response

        route = Route(path, endpoint, methods=[method])
        route.methods = {method}  # without the HEAD that Starlette adds to GET
        return route

    async def _respond(self, request: Request, handler: Handler, fault: Fault | None) -> Response:
        if fault is Fault.BAD_GATEWAY:
            return bad_gateway()
        if fault in REFUSED:
            assert fault is not None
            return self.refusal(fault)
        try:
            return spoil(await handler(request, fault), fault)
        except Refused as refused:
            return refused.response
        except ClientDisconnect:  # before the whole request was received
            return Response(status_code=499)
        except Exception as bug:
            self._bugs.append(bug)
            raise

    def accept(self, task: Task) -> Task:
        """Record the task. A fault that only spoils the response to the submit is not a fault of the task."""
        if task.fault in SPOILT:
            task.fault = None
        self.tasks.append(task)
        self._known[task.id] = task
        if task.token:
            self._known[task.token] = task
        return task

    def find(self, name: str) -> Task | None:
        """The task of this id or token."""
        return self._known.get(name)

    def active(self) -> list[Task]:
        """The unfinished tasks."""
        now = self.now()
        return [task for task in self.tasks if task.ends_at > now]

    def fraction(self, task: Task) -> float:
        """The share of its time that has passed, 0 to 1; below 1 while it is not done."""
        if task.ends_at <= self.now():
            return 1.0
        return min((self.now() - task.at) / task.seconds, 0.95)

    def picture(
        self, *, prompt: str, seed: int, width: int, height: int, format: str, index: int = 0
    ) -> Picture:
        """A result with these options."""
        return Picture(prompt, seed, width, height, format, index).shrunk(self.longest_side)

    def deliver(self, picture: Picture, fault: Fault | None) -> Response:
        """The response of a result's link. `fault` is the download's own or its task's."""
        match fault:
            case Fault.LINK_NOT_FOUND:
                return self.link_not_found()
            case Fault.LINK_EXPIRED:
                return self.link_expired()
            case Fault.NOT_AN_IMAGE:
                return Response(NOT_AN_IMAGE, media_type=picture.content_type)
            case Fault.HUGE | Fault.HUGE_UNANNOUNCED:
                return huge(picture.content, picture.content_type, announced=fault is Fault.HUGE)
        return Response(picture.content, media_type=picture.content_type)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it alongside the requests; it ends when the emulator stops. Only from a handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def cancel_task(self, task: Task) -> None:
        """End the task now."""
        task.cancelled_at = self.now()
        task.cancelled.set()

    async def until_end(self, task: Task) -> None:
        """Return when the task has ended, by the emulator's clock.

        It polls rarely while the end is far, since there may be thousands of tasks, so a jump of the clock
        may go unnoticed for a quarter of the remaining time.
        """
        while (left := task.ends_at - self.now()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(task.cancelled.wait(), min(left, max(0.1, left / 4)))

    async def send_callback(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """POST until it is accepted (2xx) or the attempts are used up."""
        # Without verification: loading the machine's certificates anew each time would delay all requests.
        async with httpx.AsyncClient(timeout=60, verify=False) as client:
            for wait in (0.0, *self.callback_waits):
                await asyncio.sleep(wait)
                try:
                    status = (await client.post(url, content=body, headers=headers)).status_code
                except httpx.HTTPError:
                    status = 0
                self.callbacks.append(Callback(url, headers, body, status))
                if 200 <= status < 300:
                    return

    # Its own endpoints.

    async def _control(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                entry = await request.json()
                step = Step(entry["on"])
                fault = Fault(entry["fault"]) if entry["fault"] else None
            except (KeyError, TypeError, ValueError):
                return JSONResponse({"on": list(Step), "fault": list(Fault), "times": "a number"}, 400)
            if fault is None:
                self.script.coming(step).clear()
                self.script.always.pop(step, None)
            elif entry.get("times"):
                self.script.coming(step).extend([fault] * entry["times"])
            else:
                self.script.always[step] = fault
        return JSONResponse(
            {
                "tasks": len(self.tasks),
                "active": len(self.active()),
                "calls": {step: sum(call.step is step for call in self.calls) for step in Step},
                "next": {step: self.script.coming(step) for step in Step},
                "always": self.script.always,
            }
        )

    async def _lost(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return self.lost(request, error.status_code)
