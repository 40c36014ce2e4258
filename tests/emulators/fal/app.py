"""The endpoints of fal's queue, its synchronous run, and the public keys of its webhooks."""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator, Handler
from tests.emulators.fal.models import APPLICATIONS, ENDPOINTS, ignored
from tests.emulators.fal.outcomes import ModelError, Outcome, platform_error, refused
from tests.emulators.fal.queue import Queue
from tests.emulators.fal.reading import check_spec, lifetime, origin, read_json
from tests.emulators.fal.records import Queued, application, black, seed_of
from tests.emulators.fal.runner import prepare
from tests.emulators.fal.storage import Storage, StoredFile
from tests.emulators.fal.webhooks import Signer
from tests.emulators.faults import RETRY_AFTER, UNKNOWN_WORD, Fault, Step
from tests.emulators.records import Task

_STREAM_WAIT = 0.02  # seconds between two polls of a status stream


class Fal(Emulator):
    """See the package.

    queue   its `concurrency` is the number of requests that run at once; the others wait
    signer  signs the webhooks
    files   path on the file host -> the stored file
    """

    name: ClassVar[str] = "fal"
    callback_waits = (0.05,) * 9

    def __init__(self, *, key: str = "test-key-id:test-key-secret", **options: Any) -> None:
        super().__init__(key=key, **options)
        self.queue = Queue()
        self.signer = Signer()

    @property
    def files(self) -> dict[str, StoredFile]:
        return self._storage.files

    def routes(self) -> list[BaseRoute]:
        self._storage = Storage(self, self._authorise)
        one = "/{endpoint:path}/requests/{id}"
        return [
            *self._storage.routes(),
            self.route("GET", "/.well-known/jwks.json", self._jwks),
            self.route("POST", "/fal.run/{endpoint:path}", self._run, Step.SUBMIT),
            self.route("GET", f"{one}/status", self._status, Step.POLL),
            self.route("GET", f"{one}/status/stream", self._stream, Step.POLL),
            self.route("PUT", f"{one}/cancel", self._cancel, Step.CANCEL),
            self.route("GET", f"{one}/response", self._result, Step.POLL),
            self.route("GET", one, self._result, Step.POLL),
            self.route("POST", "/{endpoint:path}", self._submit, Step.SUBMIT),
        ]

    async def _respond(self, request: Request, handler: Handler, fault: Fault | None) -> Response:
        request.state.id = request.path_params.get("id") or str(uuid.uuid4())
        response = await super()._respond(request, handler, fault)
        if fault is not Fault.BAD_GATEWAY:
            response.headers["x-fal-request-id"] = request.state.id
        return response

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                return refused(401, "invalid key credentials").response
            case Fault.OUT_OF_FUNDS:
                return refused(
                    403,
                    "User is locked. Reason: Exhausted balance. Top up your balance at "
                    "fal.ai/dashboard/billing.",
                ).response
            case Fault.RATE_LIMITED:
                return refused(429, "Reached the limit of concurrent requests").response
            case Fault.RATE_LIMITED_RETRY_AFTER:
                return refused(
                    429, "Reached the limit of concurrent requests", **{"retry-after": str(RETRY_AFTER)}
                ).response
        return _response(platform_error("internal_error", "Internal server error", status=500))

    def lost(self, request: Request, status: int) -> Response:
        message = "Method Not Allowed" if status == 405 else "Not Found"
        return refused(status, message, **{"x-fal-request-id": str(uuid.uuid4())}).response

    def _authorise(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Key {self.key}":
            raise refused(401, "invalid key credentials")

    async def _jwks(self, request: Request, fault: Fault | None) -> Response:
        return JSONResponse(self.signer.jwks())

    async def _submit(self, request: Request, fault: Fault | None) -> Response:
        task = await self._take(request, fault)
        if task.callback:
            self.in_background(self._webhook(task, origin(request)))
        urls = self._urls(task, request)
        return JSONResponse(
            {
                "status": "IN_QUEUE",
                "request_id": task.id,
                "gateway_request_id": task.id,
                "queue_position": self._position(task),
                **urls,
            }
        )

    async def _run(self, request: Request, fault: Fault | None) -> Response:
        task = await self._take(request, fault)
        await self._until_done(task)
        return _response(task.outcome(task.fault, origin=origin(request)))

    async def _take(self, request: Request, fault: Fault | None) -> Queued:
        self._authorise(request)
        endpoint = request.path_params["endpoint"]
        name = application(endpoint)
        if fault is Fault.FORBIDDEN:
            raise refused(401, f'Cannot access application "{name}". Authentication is required.')
        if name not in APPLICATIONS:
            raise refused(404, f'Application "{name.rpartition("/")[2]}" not found')
        if "/requests/" in endpoint:
            raise refused(405, "Method Not Allowed")
        timeout = check_spec(request)
        values = await read_json(request)
        self._check_length(request)
        task = Queued(
            id=request.state.id,
            path=request.url.path,
            headers=dict(request.headers),
            request=values,
            at=self.now(),
            seconds=self.seconds,
            fault=fault,
            callback=request.query_params.get("fal_webhook", ""),
            endpoint=endpoint,
            timeout=timeout,
        )
        await self._prepare(task)
        self.queue.add(task)
        self._make(task, lifetime(request))
        self.accept(task)
        return task

    async def _prepare(self, task: Queued) -> None:
        if task.endpoint not in ENDPOINTS:
            path = "/" + "/".join(task.endpoint.split("/")[2:])
            task.problem = Outcome(404, {"detail": f"Path {path} not found"})
            return
        if isinstance(task.request, dict):
            task.ignored = ignored(task.endpoint, task.request)
        try:
            task.wanted = await prepare(task.endpoint, task.request)
        except ModelError as error:
            task.problem = error.outcome

    def _make(self, task: Queued, seconds: float | None) -> None:
        """Store its images on the file host, for `seconds` after its end."""
        if task.wanted is None or task.problem is not None:
            return
        expires_at = None if seconds is None else task.ends_at + seconds
        wanted = task.wanted
        for index in range(wanted.count):
            picture = self.picture(
                prompt=wanted.input.prompt,
                seed=seed_of(task.id, wanted),
                width=wanted.width,
                height=wanted.height,
                format=wanted.input.output_format,
                index=index,
            )
            file = StoredFile(picture.content_type, picture=picture, task=task, expires_at=expires_at)
            if task.fault is Fault.RESULT_MODERATED:
                file = StoredFile(picture.content_type, black(picture), expires_at=expires_at)
            task.pictures.append(picture)
            task.paths.append(self._storage.keep(file, f"{index}.{picture.format}"))

    def _check_length(self, request: Request) -> None:
        longest = request.query_params.get("fal_max_queue_length", "")
        if longest.isdecimal() and self.queue.waiting_before(math.inf, now=self.now()) > int(longest):
            raise refused(429, "The queue is longer than fal_max_queue_length")

    def _position(self, task: Queued) -> int:
        return self.queue.waiting_before(task.starts_at, now=self.now())

    def _find(self, request: Request) -> Queued | None:
        """The request, if its URL starts with its application."""
        self._authorise(request)
        task = self.find(request.path_params["id"])
        if isinstance(task, Queued) and task.application == application(request.path_params["endpoint"]):
            return task
        return None

    def _known_one(self, request: Request, fault: Fault | None) -> Queued:
        task = self._find(request)
        if task is None or fault is Fault.NOT_FOUND_YET:
            raise refused(404, "Request not found")
        return task

    async def _status(self, request: Request, fault: Fault | None) -> Response:
        task = self._known_one(request, fault)
        task.polls += 1
        view = self._view(task, fault, request)
        return JSONResponse(view, 200 if view["status"] == "COMPLETED" else 202)

    async def _stream(self, request: Request, fault: Fault | None) -> Response:
        task = self._known_one(request, fault)

        async def events() -> AsyncIterator[str]:
            last: dict[str, Any] = {}
            while last.get("status") != "COMPLETED":
                view = self._view(task, fault, request)
                if view != last:
                    yield f"data: {json.dumps(view)}\n\n"
                last = view
                await asyncio.sleep(_STREAM_WAIT)

        return StreamingResponse(events(), media_type="text/event-stream")

    def _view(self, task: Queued, fault: Fault | None, request: Request) -> dict[str, Any]:
        now = self.now()
        working = fault is Fault.NEVER_FINISHES or not task.is_done(now)
        fault = task.under(fault)
        view: dict[str, Any] = {"status": "IN_PROGRESS", "request_id": task.id, **self._urls(task, request)}
        if fault is Fault.UNKNOWN_STATUS:
            return {**view, "status": UNKNOWN_WORD.upper(), "logs": None}
        wants_logs = request.query_params.get("logs", "").lower() in ("1", "true")
        if working:
            if now < task.starts_at:
                return {**view, "status": "IN_QUEUE", "queue_position": self._position(task)}
            fraction = min((now - task.starts_at) / max(task.seconds, 0.001), 0.95)
            return {**view, "logs": task.logs(fraction) if wants_logs else None}
        view["status"] = "COMPLETED"
        outcome = task.outcome(fault, origin=origin(request))
        if outcome.error_type:
            return {**view, "logs": None, "error": outcome.error, "error_type": outcome.error_type}
        logs = task.logs(1.0) if wants_logs else None
        return {**view, "logs": logs, "metrics": {"inference_time": task.seconds}}

    async def _result(self, request: Request, fault: Fault | None) -> Response:
        task = self._known_one(request, fault)
        if not task.is_done(self.now()) or fault is Fault.NEVER_FINISHES:
            body = {"detail": "Request is still in progress", "request_id": task.id}
            return JSONResponse({**body, **self._urls(task, request)}, 400)
        return _response(task.outcome(task.under(fault), origin=origin(request)))

    async def _cancel(self, request: Request, fault: Fault | None) -> Response:
        """NEVER_FINISHES on a cancel: the cancel is accepted, and ignored."""
        task = self._find(request)
        now = self.now()
        if task is None:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        if task.is_done(now):
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        was_waiting = now < task.starts_at
        if was_waiting or fault is not Fault.NEVER_FINISHES:
            task.cancelled_at = now
            self.queue.replan(now)
        if was_waiting:
            return JSONResponse({"status": "OK"}, 200)
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def _urls(self, task: Queued, request: Request) -> dict[str, str]:
        base = f"{origin(request)}/{task.application}/requests/{task.id}"
        return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}

    async def _until_done(self, task: Task) -> None:
        """A task that never ends, or may be cancelled meanwhile, is polled.

        Rarely while the end is far, since there may be thousands of tasks.
        """
        while (left := task.ends_at - self.now()) > 0:
            await asyncio.sleep(min(left, max(0.1, min(left / 4, 1))))

    async def _webhook(self, task: Queued, origin: str) -> None:
        await self._until_done(task)
        outcome = task.outcome(task.fault, origin=origin)
        document: dict[str, Any] = {"request_id": task.id, "gateway_request_id": task.id, "status": "OK"}
        if outcome.status != 200:
            error = outcome.error or f"Invalid status code: {outcome.status}"
            document |= {"status": "ERROR", "error": error}
        document["payload"] = outcome.body
        body = json.dumps(document, separators=(",", ":")).encode()
        headers = self.signer.headers(request_id=task.id, timestamp=int(self.now()), body=body)
        await self.send_callback(task.callback, body, headers)


def _response(outcome: Outcome) -> Response:
    return JSONResponse(outcome.body, outcome.status, headers=outcome.headers)
