"""An emulator of BFL's image API: submit, get_result, credits, the delivery host and webhooks.

What the contract only infers and the emulator implements: the forms of keys that are refused as malformed
(accepted: a UUID or `bfl_` and 16 or more letters and digits); the texts for 402, 429 and bad images
(400); the order of the checks: key, body, images, funds, active tasks; that data URIs and FLUX.2 results
above 4 megapixels are refused, and 9 megapixels of inputs and result on FLUX.2 pro; that the limits of
BFL's own client on fill and expand (20 MiB of base64, 20 megapixels, sides of 256 pixels) are the server's
too; the Azure texts of the delivery host; the body of webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import uuid
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator
from tests.emulators.bfl import delivery, sizes
from tests.emulators.bfl.reading import check_pixels, detail, look_at, read_json, read_spec
from tests.emulators.bfl.schemas import SCHEMAS
from tests.emulators.faults import RETRY_AFTER, UNKNOWN_WORD, Fault, Step
from tests.emulators.records import Refused, Task

KEY_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|bfl_[A-Za-z0-9]{16,}")


class Bfl(Emulator):
    """credits        balance of the account
    active_limit   unfinished tasks at once
    max_limit      the same for flux-kontext-max
    newer          tasks pass Reasoning and Generating, as on newer models
    regional       tasks are on another host, only that of their polling_url
    failed_status  the HTTP status of a poll that reports a failed task; 503 was seen
    """

    name: ClassVar[str] = "bfl"

    def __init__(self, *, key: str = "0f0e0d0c-0b0a-4908-8706-050403020100", **options: Any) -> None:
        super().__init__(key=key, **options)
        self.credits = 1000.0
        self.active_limit = 24
        self.max_limit = 6
        self.newer = False
        self.regional = False
        self.failed_status = 200

    def routes(self) -> list[BaseRoute]:
        return [
            *(self.route("POST", f"/v1/{model}", self.submit, Step.SUBMIT) for model in SCHEMAS),
            self.route("GET", "/v1/get_result", self.poll, Step.POLL),
            self.route("GET", "/v1/credits", self.account),
            self.route("GET", "/results/{a}/{b}/{task}/{file}", self.download, Step.DOWNLOAD),
        ]

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                return detail(403, "Not authenticated - Invalid Authentication")
            case Fault.OUT_OF_FUNDS:
                return detail(402, "Insufficient credits")
            case Fault.RATE_LIMITED:
                return detail(429, "Too many active tasks")
            case Fault.RATE_LIMITED_RETRY_AFTER:
                return detail(429, "Too many active tasks", {"retry-after": str(RETRY_AFTER)})
        return detail(500, "Internal Server Error")

    def lost(self, request: Request, status: int) -> Response:
        return detail(status, "Not Found" if status == 404 else "Method Not Allowed")

    def link_not_found(self) -> Response:
        return delivery.not_found()

    def link_expired(self) -> Response:
        return delivery.denied("Signed expiry time [2026-01-01T00:00:00Z] must be after signed start time.")

    async def submit(self, request: Request, fault: Fault | None) -> Response:
        self._check_key(request)
        model = request.url.path.removeprefix("/v1/")
        body = await read_json(request)
        spec = read_spec(model, body)
        inputs = await look_at(spec)
        width, height = sizes.result_size(spec, inputs)
        output = width * height
        source = sum(across * down for across, down in inputs.values())
        check_pixels(model, spec, source=source, output=output)
        cost = sizes.cost(model, input_pixels=source, output_pixels=output)
        if self.credits < cost:
            raise Refused(self.refusal(Fault.OUT_OF_FUNDS))
        self._check_active(request.url.path)
        if fault is not Fault.PROMPT_MODERATED:
            self.credits -= cost
        picture = self.picture(
            prompt=spec.prompt or "",
            seed=random.getrandbits(40) if spec.seed is None else spec.seed,
            width=width,
            height=height,
            format=spec.output_format or type(spec).model_fields["output_format"].default,
        )
        task = self.accept(
            Task(
                id=str(uuid.uuid4()),
                path=request.url.path,
                headers=dict(request.headers),
                request=body,
                at=self.now(),
                seconds=self.seconds,
                fault=fault,
                pictures=[picture],
                callback=str(spec.webhook_url or ""),
                cost=cost,
            )
        )
        answer: dict[str, Any] = {"id": task.id}
        if spec.webhook_url:
            answer |= {"status": "Pending", "webhook_url": body["webhook_url"]}
            self.in_background(self._webhook(task, spec.webhook_secret, _origin(request)))
        else:
            host = "localhost" if self.regional else request.url.hostname
            origin = f"{request.url.scheme}://{host}:{request.url.port}"
            answer["polling_url"] = f"{origin}/v1/get_result?id={task.id}"
        megapixels = {
            "input_mp": sizes.megapixels(source),
            "output_mp": sizes.megapixels(output),
        }
        return JSONResponse(answer | {"cost": cost} | megapixels)

    async def poll(self, request: Request, fault: Fault | None) -> Response:
        if "id" not in request.query_params:
            missing = {"type": "missing", "loc": ["query", "id"], "msg": "Field required", "input": None}
            return JSONResponse({"detail": [missing]}, 422)
        task_id = request.query_params["id"]
        task = self.find(task_id)
        elsewhere = self.regional and request.url.hostname != "localhost"
        if task is None or elsewhere or fault is Fault.NOT_FOUND_YET:
            return JSONResponse(_result(task_id, "Task not found"), 404)
        task.polls += 1
        answer = self._view(task, task.under(fault), _origin(request))
        return JSONResponse(answer, self.failed_status if answer["status"] == "Error" else 200)

    async def account(self, request: Request, fault: Fault | None) -> Response:
        self._check_key(request)
        return JSONResponse({"credits": self.credits})

    async def download(self, request: Request, fault: Fault | None) -> Response:
        problem = delivery.problem(request, now=self.now())
        if problem is not None:
            return problem
        task = self.find(str(uuid.UUID(request.path_params["task"])))
        if task is None:
            return self.link_not_found()
        task.downloads += 1
        return self.deliver(task.pictures[0], task.under(fault))

    def _view(self, task: Task, fault: Fault | None, origin: str) -> dict[str, Any]:
        """The ResultResponse: the current state of the task."""
        fraction = self.fraction(task)
        if fault is Fault.UNKNOWN_STATUS:
            return _result(task.id, UNKNOWN_WORD)
        if fault is Fault.NEVER_FINISHES or fraction < 1:
            progress = round(min(max(fraction, 0.1), 0.9), 1)
            return _result(task.id, self._running(progress), progress=progress)
        match fault:
            case Fault.FAILED:
                return _result(task.id, "Error", details={"error": "Generation failed"})
            case Fault.PROMPT_MODERATED:
                reasons = ["Violence", "Sexual Content", "Self Harm"]
                return _result(task.id, "Request Moderated", details={"Moderation Reasons": reasons})
            case Fault.RESULT_MODERATED:
                return _result(
                    task.id, "Content Moderated", details={"Moderation Reasons": ["Sexual Content"]}
                )
            case Fault.EMPTY_RESULT:
                return _result(task.id, "Ready")
        picture = task.pictures[0]
        result = {
            "sample": origin + delivery.link(task, now=self.now()),
            "prompt": picture.prompt,
            "seed": picture.seed,
            "start_time": task.at,
            "end_time": task.ends_at,
            "duration": task.ends_at - task.at,
        }
        return _result(task.id, "Ready", result=result) | {"cost": task.cost}

    def _running(self, progress: float) -> str:
        if not self.newer or progress < 0.3:
            return "Pending"
        return "Reasoning" if progress < 0.6 else "Generating"

    async def _webhook(self, task: Task, secret: str | None, origin: str) -> None:
        await self.until_end(task)
        body = json.dumps(self._view(task, task.fault, origin) | {"task_id": task.id}).encode()
        headers = {"content-type": "application/json"}
        if secret:
            headers["x-bfl-signature"] = sign(secret, body)
        await self.send_callback(task.callback, body, headers)

    def _check_key(self, request: Request) -> None:
        key = request.headers.get("x-key")
        if key is None:
            raise Refused(detail(403, "Not authenticated"))
        if not KEY_FORM.fullmatch(key):
            raise Refused(detail(422, "Invalid API key format"))
        if key != self.key:
            raise Refused(self.refusal(Fault.WRONG_KEY))

    def _check_active(self, path: str) -> None:
        active = [task.path for task in self.active()]
        kontext_max = "/v1/flux-kontext-max"
        if len(active) >= self.active_limit or (
            path == kontext_max and active.count(kontext_max) >= self.max_limit
        ):
            raise Refused(self.refusal(Fault.RATE_LIMITED))


def sign(secret: str, body: bytes) -> str:
    """The X-BFL-Signature of a webhook."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _result(
    task_id: str,
    status: str,
    *,
    result: Any = None,
    progress: float | None = None,
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": task_id,
        "status": status,
        "result": result,
        "progress": progress,
        "details": details,
        "preview": None,
    }


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
