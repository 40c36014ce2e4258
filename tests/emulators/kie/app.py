"""An emulator of kie.ai: the jobs API, the Flux Kontext API, uploads, results and callbacks. The upload
host and the file hosts are the same origin here.

What the contract only infers and the emulator implements: most messages of 422; that images that cannot be
fetched fail the task with code 422; safetyTolerance above 2 on edits; the message of a refusal of the
content; the statuses of the upload host's errors; the sizes and most prices of results. Envelope errors
are HTTP 200 unless `real_status`. Unknown input fields are refused, which kie may not do, so that a field
with a wrong name is noticed: see `strict`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator, Handler
from tests.emulators.faults import RETRY_AFTER, Fault, Step
from tests.emulators.kie import answers, uploads
from tests.emulators.kie.answers import State
from tests.emulators.kie.schemas import MODELS, Inputs, Kontext
from tests.emulators.kie.uploads import BadUpload, Upload
from tests.emulators.kie.work import BadInput, check, credits, look_at, result
from tests.emulators.records import Refused, Task

RATE_WINDOW = 10  # seconds
RESULT_LIFETIME = 14 * 86400  # seconds
ORIGIN_LIFETIME = 600  # seconds


class Kie(Emulator):
    """credits        balance of the account
    rate           new tasks within ten seconds
    running        tasks at once
    real_status    envelope errors are real HTTP statuses
    strict         unknown input fields are refused
    content_types  responses have a Content-Type; kie's sometimes have none
    error_code     that of SERVER_ERROR: 455 maintenance, 505 a feature switched off, 433 a sub-key's limit
    empty_result   resultJson of EMPTY_RESULT on the jobs API
    webhook_key    signs callbacks
    deliveries     how often each callback is delivered
    """

    name: ClassVar[str] = "kie"
    callback_waits = (0.05, 0.1, 0.15)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.credits = 1234.5
        self.rate = 20
        self.running = 100
        self.real_status = False
        self.strict = True
        self.content_types = True
        self.error_code = 500
        self.empty_result = '{"resultUrls":[]}'
        self.webhook_key = ""
        self.deliveries = 1
        self._uploads: dict[str, Upload] = {}

    def routes(self) -> list[BaseRoute]:
        kontext = "/api/v1/flux/kontext"
        return [
            self.route("GET", "/api/v1/chat/credit", self.account),
            self.route("POST", "/api/v1/jobs/createTask", self.create, Step.SUBMIT),
            self.route("GET", "/api/v1/jobs/recordInfo", self.record, Step.POLL),
            self.route("POST", f"{kontext}/generate", self.create_kontext, Step.SUBMIT),
            self.route("GET", f"{kontext}/record-info", self.kontext_record, Step.POLL),
            self._upload_route("base64", uploads.from_base64),
            self._upload_route("stream", uploads.from_stream),
            self._upload_route("url", uploads.from_url),
            self.route("GET", "/tempfile/{path:path}", self.uploaded),
            self.route("GET", "/r/{file}", self.download, Step.DOWNLOAD),
        ]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"KIE_UPLOAD_URL": self.url}

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                return self._failure(401, "You do not have access permissions")
            case Fault.OUT_OF_FUNDS:
                return self._failure(402, "Credits insufficient. Please top up to continue.")
            case Fault.RATE_LIMITED:
                return self._failure(429, "The call frequency is too high. Please try again later.")
            case Fault.RATE_LIMITED_RETRY_AFTER:
                body = {"code": 429, "msg": "The call frequency is too high.", "data": None}
                return JSONResponse(body, 429, {"retry-after": str(RETRY_AFTER)})
        return self._failure(self.error_code, "Server exception, please try again later")

    def lost(self, request: Request, status: int) -> Response:
        message = "Not Found" if status == 404 else "Method Not Allowed"
        return JSONResponse({"code": status, "msg": message, "data": None}, status)

    async def account(self, request: Request, fault: Fault | None) -> Response:
        self._check_key(request)
        return self._success(self.credits)

    async def create(self, request: Request, fault: Fault | None) -> Response:
        body = await self._body(request)
        model, callback = body.get("model"), body.get("callBackUrl")
        if model is None:
            raise Refused(self._failure(422, "This field is required"))
        if model not in MODELS:
            raise Refused(self._failure(422, "The model name you specified is not supported."))
        spec = self._checked(MODELS[model], body.get("input"))
        if unknown := self.strict and set(body) - {"model", "callBackUrl", "input"}:
            raise Refused(self._failure(422, f"{min(unknown)}: Extra inputs are not permitted"))
        task = await self._accept(request, body, spec, fault, model=model, callback=callback)
        return self._success({"taskId": task.id, "recordId": task.id})

    async def create_kontext(self, request: Request, fault: Fault | None) -> Response:
        body = await self._body(request)
        spec = self._checked(Kontext, body)
        model, callback = spec.entry("model"), spec.entry("callBackUrl")
        task = await self._accept(request, body, spec, fault, model=model, callback=callback)
        return self._success({"taskId": task.id})

    async def record(self, request: Request, fault: Fault | None) -> Response:
        task = self._requested(request, fault, kontext=False, unknown="recordInfo is null")
        fault = task.under(fault)
        return self._success(
            answers.record(task, self._state(task, fault), result_json=self._result_json(task, fault))
        )

    async def kontext_record(self, request: Request, fault: Fault | None) -> Response:
        task = self._requested(request, fault, kontext=True, unknown="The record does not exist")
        fault = task.under(fault)
        return self._success(
            answers.kontext_record(task, self._state(task, fault), urls=self._urls(task, fault))
        )

    async def uploaded(self, request: Request, fault: Fault | None) -> Response:
        upload = self._uploads.get(request.path_params["path"])
        if upload is None or upload.at + uploads.LIFETIME <= self.now():
            return self.link_not_found()
        return Response(upload.content, media_type=upload.content_type)

    async def download(self, request: Request, fault: Fault | None) -> Response:
        token, _, _ = request.path_params["file"].partition(".")
        task = self.find(token.removesuffix("-origin"))
        lifetime = ORIGIN_LIFETIME if token.endswith("-origin") else RESULT_LIFETIME
        if task is None or not task.ends_at <= self.now() < task.ends_at + lifetime:
            return self.link_not_found()
        task.downloads += 1
        return self.deliver(task.pictures[0], task.under(fault))

    def _upload_route(self, kind: str, read: Callable[..., Awaitable[Upload]]) -> BaseRoute:
        async def take(request: Request, fault: Fault | None) -> Response:
            self._check_key(request)
            try:
                upload = await read(request, at=self.now())
            except BadUpload as bad:
                body = {"success": False, "code": bad.code, "msg": str(bad), "data": None}
                return JSONResponse(body, bad.code if self.real_status else 200)
            self._uploads[upload.path] = upload
            reported = upload.reported(self.url)
            body = {"success": True, "code": 200, "msg": "File uploaded successfully", "data": reported}
            return JSONResponse(body)

        handler: Handler = take
        return self.route("POST", f"/api/file-{kind}-upload", handler, Step.UPLOAD)

    async def _body(self, request: Request) -> dict[str, Any]:
        self._check_key(request)
        try:
            body = await request.json()
        except ValueError as error:
            raise Refused(self._failure(400, "Invalid JSON")) from error
        if not isinstance(body, dict):
            raise Refused(self._failure(400, "Invalid JSON"))
        return body

    def _checked(self, schema: type[Inputs], fields: Any) -> Inputs:
        try:
            return check(schema, fields, strict=self.strict)
        except BadInput as bad:
            raise Refused(self._failure(422, str(bad))) from bad

    async def _accept(
        self, request: Request, body: Any, spec: Inputs, fault: Fault | None, *, model: str, callback: Any
    ) -> Task:
        cost = credits(model, spec)
        if self.credits < cost:
            raise Refused(self.refusal(Fault.OUT_OF_FUNDS))
        new = sum(task.at > self.now() - RATE_WINDOW for task in self.tasks[-self.rate :])
        if new >= self.rate or len(self.active()) >= self.running:
            raise Refused(self.refusal(Fault.RATE_LIMITED))
        sizes, problem = await look_at(spec)
        kontext = isinstance(spec, Kontext)
        self.credits -= cost
        task = self.accept(
            Task(
                id=("fluxkontext_" if kontext else "") + secrets.token_hex(16),
                path=request.url.path,
                headers=dict(request.headers),
                request=body,
                at=self.now(),
                seconds=self.seconds,
                fault=fault,
                pictures=[result(spec, sizes).shrunk(self.longest_side)],
                token=secrets.token_hex(16),
                callback=str(callback or ""),
                cost=cost,
                notes={"model": model, "kontext": kontext} | ({"bad_input": problem} if problem else {}),
            )
        )
        self.in_background(self._after(task))
        return task

    async def _after(self, task: Task) -> None:
        """At the end: a failure refunds the credits, and the callback is sent."""
        await self.until_end(task)
        state = self._state(task, task.fault)
        if state.name == "fail":
            self.credits += task.cost
        if not task.callback or state.name not in ("success", "fail"):
            return
        if task.notes["kontext"]:
            body = answers.kontext_callback(task, state, urls=self._urls(task, task.fault))
        else:
            body = answers.callback(task, state, result_json=self._result_json(task, task.fault))
        headers = {"content-type": "application/json"}
        if self.webhook_key:
            stamp = str(int(self.now()))
            headers["x-webhook-timestamp"] = stamp
            headers["x-webhook-signature"] = sign(self.webhook_key, task.id, stamp)
        for _ in range(self.deliveries):
            await self.send_callback(task.callback, json.dumps(body).encode(), headers)

    def _requested(self, request: Request, fault: Fault | None, *, kontext: bool, unknown: str) -> Task:
        self._check_key(request)
        task_id = request.query_params.get("taskId")
        if not task_id:
            raise Refused(self._failure(400, "taskId parameter is required"))
        task = self.find(task_id)
        if task is None or task.notes["kontext"] is not kontext or fault is Fault.NOT_FOUND_YET:
            raise Refused(self._failure(422, unknown))
        task.polls += 1
        return task

    def _state(self, task: Task, fault: Fault | None) -> State:
        return answers.state(task, fault, fraction=self.fraction(task))

    def _result_json(self, task: Task, fault: Fault | None) -> str:
        if fault is Fault.EMPTY_RESULT:
            return self.empty_result
        return json.dumps({"resultUrls": [answers.links(task, self.url)["result"]]}, separators=(",", ":"))

    def _urls(self, task: Task, fault: Fault | None) -> dict[str, str] | None:
        return None if fault is Fault.EMPTY_RESULT else answers.links(task, self.url)

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            raise Refused(self._failure(401, "Unauthorized"))
        if given.removeprefix("Bearer ") != self.key:
            raise Refused(self.refusal(Fault.WRONG_KEY))

    def _success(self, data: Any) -> Response:
        response = JSONResponse({"code": 200, "msg": "success", "data": data})
        if not self.content_types:
            del response.headers["content-type"]
        return response

    def _failure(self, code: int, message: str) -> Response:
        body = {"code": code, "msg": message, "data": None}
        return JSONResponse(body, code if self.real_status else 200)


def sign(key: str, task_id: str, timestamp: str) -> str:
    """The X-Webhook-Signature of a callback; it does not cover the body."""
    digest = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
