"""An emulator of Wiro's API: runs, tasks, uploads, the model list, the socket and callbacks.

What the contract only infers and the emulator implements: a wrong method has the response of a wrong path;
options that are not offered, a side that is no multiple of 16, too many images and texts that are no URLs
are "Request parameters are invalid."; slugs are case-insensitive; Kill before the task is assigned fails;
an image that cannot be fetched or read ends the task as task_error; a refusal of the content has pexit
"1" (prompt) or ends as task_cancel (result), with a message in debugerror; the messages of 429 and 500;
funds are charged when a task has succeeded; the callback's body; what the socket sends for unknown tokens
(nothing) and to late subscribers (from the current status on). Prices are made up except for their format.
File/FolderCreate, Tool/Explore, Tool/DetailOpenAPI and the realtime tasks are not implemented.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import string
from typing import Any, ClassVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from tests.emulators.base import Emulator
from tests.emulators.faults import RETRY_AFTER, Fault, Step
from tests.emulators.records import Refused, Task
from tests.emulators.wiro import live, objects
from tests.emulators.wiro.body import Fields, File, failure, invalid, ok, read, together, value
from tests.emulators.wiro.models import LARGEST_FILE, MODELS, check
from tests.emulators.wiro.states import KILLABLE, TERMINAL, State, share, state
from tests.emulators.wiro.work import look_at, results

LEAST_BALANCE = 0.5  # US dollars, required for any run
FREE_BALANCE = 250  # US dollars, above which any number of tasks may run


class Wiro(Emulator):
    """secret    of a project with signatures; None: a project with the API key only
    balance   US dollars
    fails_as  the last status of tasks that fail: task_postprocess_end, task_error or task_cancel
    socket    "open"; "silent": sends nothing after its greeting; "closes": at the first request
    """

    name: ClassVar[str] = "wiro"
    base_path: ClassVar[str] = "/v1"
    callback_waits = (0.05, 0.05)

    def __init__(
        self, *, key: str = "test-api-key", secret: str | None = "test-api-secret", **options: Any
    ) -> None:
        super().__init__(key=key, **options)
        self.secret = secret
        self.balance = 500.0
        self.fails_as = "task_postprocess_end"
        self.socket = "open"
        self._uploads: dict[tuple[str, str], File] = {}
        self._folders: dict[str, Task] = {}

    def routes(self) -> list[BaseRoute]:
        return [
            self.route("POST", "/v1/Run/{owner}/{model}", self.run, Step.SUBMIT),
            self.route("POST", "/v1/Task/Detail", self.detail, Step.POLL),
            self.route("POST", "/v1/Task/Cancel", self.cancel, Step.CANCEL),
            self.route("POST", "/v1/Task/Kill", self.kill, Step.CANCEL),
            self.route("POST", "/v1/Task/List", self.list_tasks),
            self.route("POST", "/v1/Task/InputOutputDelete", self.delete_files),
            self.route("POST", "/v1/File/Upload", self.upload, Step.UPLOAD),
            self.route("POST", "/v1/Tool/List", self.tools),
            self.route("POST", "/v1/Tool/Detail", self.tool),
            self.route("GET", "/cdn1/{folder}/{file}", self.download, Step.DOWNLOAD),
            self.route("GET", "/cdn1/uploads/{folder}/{file}", self.uploaded),
            WebSocketRoute("/v1", self._live),
        ]

    def environment(self) -> dict[str, str]:
        socket = self.url.replace("http", "ws", 1) + "/v1"
        settings = super().environment() | {"WIRO_SOCKET_URL": socket}
        return settings | ({"WIRO_API_SECRET": self.secret} if self.secret else {})

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                return failure(0, "Project authorization is not founded.", 401)
            case Fault.OUT_OF_FUNDS:
                return failure(97, "Insufficient balance")
            case Fault.RATE_LIMITED:
                return failure(
                    96,
                    "You have reached your concurrent task limit. With your current balance of "
                    f"${self.balance:.2f}, you can run up to {self._limit()} tasks at the same time. "
                    "Add funds to increase your limit.",
                )
            case Fault.RATE_LIMITED_RETRY_AFTER:
                return failure(0, "Too many requests", 429, {"retry-after": str(RETRY_AFTER)})
        return failure(0, "Internal server error", 500)

    def lost(self, request: Request, status: int) -> Response:
        return failure(0, "Error parsing url.", 404)

    async def run(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        slug = f"{request.path_params['owner']}/{request.path_params['model']}".lower()
        if slug not in MODELS:
            raise Refused(failure(1, "slug-owner-project-not-exist"))
        model = MODELS[slug]
        fields = await read(request)
        spec = check(model, fields)
        if self.balance < LEAST_BALANCE:
            raise Refused(self.refusal(Fault.OUT_OF_FUNDS))
        if self.balance <= FREE_BALANCE and len(self.active()) >= self._limit():
            raise Refused(self.refusal(Fault.RATE_LIMITED))
        sizes, problem = await look_at(model, spec)
        task = self.accept(
            Task(
                id=str(2221 + len(self.tasks)),
                path=request.url.path,
                headers=dict(request.headers),
                request=together(fields),
                at=self.now(),
                seconds=self.seconds,
                fault=fault,
                pictures=[picture.shrunk(self.longest_side) for picture in results(spec, sizes)],
                token=_token(),
                callback=value(fields, "callbackUrl"),
                cost=self.seconds * objects.CPS,
                notes={"model": model} | ({"bad_input": problem} if problem else {}),
            )
        )
        self._folders[objects.folder(task.token)] = task
        self.in_background(self._after(task))
        return ok({"errors": [], "taskid": task.id, "socketaccesstoken": task.token, "result": True})

    async def detail(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        fields = await read(request)
        if fault is Fault.NOT_FOUND_YET:
            raise Refused(failure(1, "There is no task yet."))
        task = self._named(fields)
        task.polls += 1
        return ok(_envelope(self._reported(task, task.under(fault))))

    async def cancel(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        task = self._named(await read(request))
        if self.state(task).status != "task_queue":
            raise Refused(failure(1, "Task is not in a cancellable state."))
        return self._end(task)

    async def kill(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        task = self._named(await read(request))
        if self.state(task).status not in KILLABLE:
            raise Refused(failure(1, "Task could not be killed: task is not running"))
        return self._end(task)

    async def list_tasks(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        fields = await read(request)
        tasks = self.tasks if value(fields, "order").upper() == "ASC" else self.tasks[::-1]
        wanted = value(fields, "modelName")
        found = [task for task in tasks if not wanted or task.notes["model"].project == wanted]
        start, limit = int(value(fields, "start") or 0), int(value(fields, "limit") or 20)
        page = [self._reported(task, task.fault) for task in found[start : start + limit]]
        return ok(_envelope(*page, total=len(found)))

    async def delete_files(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        task = self.find(value(await read(request), "tasktoken"))
        if task is None:
            raise Refused(failure(1, "task-not-exist"))
        if self.state(task).status not in TERMINAL:
            raise Refused(failure(1, "Task must be completed or cancelled before deleting files"))
        task.notes["deleted"] = True
        return ok({"result": True, "errors": []})

    async def upload(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        file = together(await read(request)).get("file")
        if not isinstance(file, File) or not file.name or len(file.content) > LARGEST_FILE:
            raise invalid()
        folder = objects.folder(_token())
        self._uploads[folder, file.name] = file
        url = f"{self.url}/cdn1/uploads/{folder}/{quote(file.name)}"
        item = objects.upload(file, url=url, at=self.now())
        return ok({"result": True, "errors": [], "list": [item]})

    async def tools(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        word = value(await read(request), "search").lower()
        found = [objects.tool(model, detail=False) for slug, model in MODELS.items() if word in slug]
        return ok({"result": True, "errors": [], "total": len(found), "tool": found})

    async def tool(self, request: Request, fault: Fault | None) -> Response:
        self._check_auth(request)
        fields = await read(request)
        model = MODELS.get(f"{value(fields, 'slugowner')}/{value(fields, 'slugproject')}".lower())
        if model is None:
            raise Refused(failure(1, "slug-owner-project-not-exist"))
        return ok({"result": True, "errors": [], "total": 1, "tool": [objects.tool(model, detail=True)]})

    async def download(self, request: Request, fault: Fault | None) -> Response:
        task = self._folders.get(request.path_params["folder"])
        if task is None or not self.state(task).succeeded or "deleted" in task.notes:
            return self.link_not_found()
        for picture in task.pictures:
            if objects.file_name(picture) == request.path_params["file"]:
                task.downloads += 1
                return self.deliver(picture, task.under(fault))
        return self.link_not_found()

    async def uploaded(self, request: Request, fault: Fault | None) -> Response:
        file = self._uploads.get((request.path_params["folder"], request.path_params["file"]))
        return Response(file.content, media_type=file.content_type) if file else self.link_not_found()

    def state(self, task: Task, fault: Fault | None = None) -> State:
        """The current state of the task."""
        return state(task, task.under(fault), now=self.now(), fails_as=self.fails_as)

    def _reported(self, task: Task, fault: Fault | None) -> dict[str, Any]:
        state = self.state(task, fault)
        return objects.task_object(task, state, fault, now=self.now(), origin=self.url)

    def _end(self, task: Task) -> Response:
        """As in Wiro's own sample: the response has the new status, but not yet the time."""
        self.cancel_task(task)
        return ok(_envelope(self._reported(task, task.fault) | {"canceltime": "0"}))

    async def _after(self, task: Task) -> None:
        """At the end: the cost is charged, and the callback is sent."""
        await self.until_end(task)
        if self.state(task).succeeded:
            self.balance -= task.cost
        if task.callback:
            reported = self._reported(task, task.fault)
            body = (
                _envelope(reported)
                | {key: reported[key] for key in ("status", "outputs")}
                | {"taskid": task.id}
            )
            headers = {"content-type": "application/json"}
            await self.send_callback(task.callback, json.dumps(body).encode(), headers)

    async def _live(self, socket: WebSocket) -> None:
        def look(task: Task) -> live.View:
            state = self.state(task)
            files = objects.outputs(task, task.fault, self.url) if state.succeeded else []
            return live.View(state, int(share(task, now=self.now()) * 100), files)

        await live.serve(socket, find=self.find, look=look, mode=self.socket)

    def _named(self, fields: Fields) -> Task:
        names = [value(fields, name) for name in ("taskid", "tasktoken", "socketaccesstoken")]
        if not any(names):
            raise Refused(failure(0, "taskid or socketaccesstoken is required"))
        task = self.find(next(name for name in names if name))
        if task is None:
            raise Refused(failure(1, "There is no task yet."))
        return task

    def _limit(self) -> int:
        """The most tasks that may run at once with this balance."""
        return max(1, int(self.balance * 0.1))

    def _check_auth(self, request: Request) -> None:
        headers = request.headers
        if headers.get("x-api-key") != self.key:
            raise Refused(self.refusal(Fault.WRONG_KEY))
        if self.secret is None:
            return
        nonce, signature = headers.get("x-nonce", ""), headers.get("x-signature", "")
        if not nonce or not signature:
            message = (
                "Project requires signature authentication. x-signature and x-nonce headers are required."
            )
            raise Refused(failure(0, message, 401))
        # Wiro's shell sample sends openssl's output, in which a prefix and a space precede the signature.
        given = signature.rpartition(" ")[2]
        if not nonce.isdecimal() or given != sign(self.key, self.secret, nonce):
            raise Refused(failure(0, "Project authorization is not valid.", 401))


def sign(key: str, secret: str, nonce: str) -> str:
    """The x-signature of a request."""
    return hmac.new(key.encode(), (secret + nonce).encode(), hashlib.sha256).hexdigest()


def _envelope(*tasks: dict[str, Any], total: int = 1) -> dict[str, Any]:
    return {"total": str(total), "errors": [], "result": True, "tasklist": list(tasks)}


def _token() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(30))
