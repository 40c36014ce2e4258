"""The endpoints of OpenAI's image API."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator, Handler
from tests.emulators.faults import RETRY_AFTER, Fault, Step, spoil
from tests.emulators.inline import answer, inlined, streamed
from tests.emulators.openai import errors, uploads
from tests.emulators.openai.fields import EDIT, GENERATE, Wanted, check, from_form, resolved_size
from tests.emulators.openai.models import MODELS
from tests.emulators.pictures import Picture
from tests.emulators.records import Task

_TOKENS_OF_AN_IMAGE = 50  # per input image
_TOKENS_OF_LOW = 196  # per result of 1024x1024 at low quality
_TIMES_LOW = {"low": 1, "medium": 4, "high": 16, "xhigh": 24, "max": 32}
# Faults under which a streamed response is sent as a whole.
_WHOLE = (Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG)


class OpenAi(Emulator):
    """See the package. `seconds` is how long a call is held before the response."""

    name: ClassVar[str] = "openai"
    base_path: ClassVar[str] = "/v1"

    def routes(self) -> list[BaseRoute]:
        return [
            self.route("POST", "/v1/images/generations", self._generate, Step.SUBMIT),
            self.route("POST", "/v1/images/edits", self._edit, Step.SUBMIT),
            self.route("GET", "/v1/models", self._models),
            self.route("GET", "/v1/models/{model}", self._model),
        ]

    async def _respond(self, request: Request, handler: Handler, fault: Fault | None) -> Response:
        request.state.id = _new_id()
        response = await super()._respond(request, handler, fault)
        if fault is not Fault.BAD_GATEWAY:
            response.headers["x-request-id"] = request.state.id
            response.headers["openai-version"] = "2020-10-01"
            response.headers["openai-processing-ms"] = str(round(self.seconds * 1000))
        return response

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                return errors.bad_key(self.key).response
            case Fault.OUT_OF_FUNDS:
                return errors.out_of_funds().response
            case Fault.RATE_LIMITED:
                return errors.rate_limited(retry_after=None).response
            case Fault.RATE_LIMITED_RETRY_AFTER:
                return errors.rate_limited(retry_after=RETRY_AFTER).response
        return errors.server_error().response

    def lost(self, request: Request, status: int) -> Response:
        path = request.url.path
        if status == 405:
            message, code = f"Not allowed to {request.method} on {path}", "method_not_supported"
        else:
            status, message, code = 404, f"Invalid URL ({request.method} {path})", None
        headers = {"x-request-id": _new_id()}
        return JSONResponse(errors.envelope(message, code=code), status, headers=headers)

    def _authorise(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise errors.no_key()
        if key != self.key:
            raise errors.bad_key(key)

    async def _models(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        return JSONResponse({"object": "list", "data": [_described(name) for name in MODELS]})

    async def _model(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        name = request.path_params["model"]
        if name not in MODELS:
            raise errors.unknown_model(name)
        return JSONResponse(_described(name))

    async def _generate(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        _check_content_type(request, "application/json")
        try:
            values = json.loads(await request.body())
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise errors.Refusal(400, "We could not parse the JSON body of your request.")
        wanted = check(values, GENERATE)
        return await self._work(request, fault, wanted, values, first_image=None, tokens=0)

    async def _edit(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        _check_content_type(request, "multipart/form-data")
        try:
            async with request.form() as form:
                values = from_form(uploads.texts(form))
                wanted = check(values, EDIT)
                sent = await uploads.check(form, wanted.model)
        except HTTPException:
            raise errors.Refusal(400, "We could not parse the multipart form of your request.") from None
        values |= {"image": sent.images, "mask": sent.mask, "markup": sent.markup}
        first = sent.images[0]
        return await self._work(
            request,
            fault,
            wanted,
            values,
            first_image=(first.width, first.height),
            tokens=_TOKENS_OF_AN_IMAGE * len(sent.images),
        )

    async def _work(
        self,
        request: Request,
        fault: Fault | None,
        wanted: Wanted,
        values: dict[str, Any],
        *,
        first_image: tuple[int, int] | None,
        tokens: int,
    ) -> Response:
        """Moderate, wait, respond. `first_image` and `tokens` are of the input images."""
        request_id = request.state.id
        match fault:
            case Fault.OVERLOADED:
                raise errors.overloaded()
            case Fault.FORBIDDEN:
                raise errors.unverified()
            case Fault.SPEND_CAP:
                raise errors.spend_cap()
            case Fault.PROMPT_MODERATED:
                raise errors.moderated("input", request_id)
        width, height = resolved_size(wanted.size, wanted.model, first_image)
        pictures = [
            self.picture(
                prompt=wanted.prompt,
                seed=0,
                width=width,
                height=height,
                format=wanted.output_format,
                index=index,
            )
            for index in range(wanted.n)
        ]
        task = self.accept(
            Task(
                id=request_id,
                path=request.url.path,
                headers=dict(request.headers),
                request=values,
                at=self.now(),
                seconds=self.seconds,
                fault=fault,
                pictures=[] if fault is Fault.EMPTY_RESULT else pictures,
            )
        )
        if wanted.stream and fault not in _WHOLE:
            return StreamingResponse(self._frames(task, wanted, tokens), media_type="text/event-stream")
        if fault is Fault.NEVER_FINISHES:
            return spoil(Response(), Fault.HANG)
        await asyncio.sleep(task.seconds)
        if fault is Fault.FAILED:
            raise errors.server_error()
        if fault is Fault.RESULT_MODERATED:
            raise errors.moderated("output", request_id)
        if wanted.stream:
            return Response("".join(self._last_frames(task, wanted, tokens)), media_type="text/event-stream")
        document = {
            "created": int(self.now()),
            "data": [{"b64_json": inlined(picture, fault)} for picture in task.pictures],
            **_settings(task, wanted),
            "usage": _usage(task, wanted, tokens),
        }
        response = answer(document, task.pictures, fault)
        for name in ("requests", "tokens"):
            response.headers[f"x-ratelimit-limit-{name}"] = "500"
            response.headers[f"x-ratelimit-remaining-{name}"] = "499"
            response.headers[f"x-ratelimit-reset-{name}"] = "12s"
        return response

    async def _frames(self, task: Task, wanted: Wanted, tokens: int) -> AsyncIterator[str]:
        """The stream of a call: partial images spread over its time, then the final ones."""
        partial = _event_name(task, "partial_image")
        for index in range(wanted.partial_images if task.pictures else 0):
            await asyncio.sleep(task.seconds / (wanted.partial_images + 1))
            first = task.pictures[0]
            # Not the final bytes, to detect a client that keeps a partial image.
            rough = Picture(first.prompt, -1 - index, first.width, first.height, first.format)
            yield _frame(
                partial,
                {
                    "b64_json": inlined(rough, None),
                    "created_at": int(self.now()),
                    **_settings(task, wanted),
                    "partial_image_index": index,
                },
            )
        if task.fault is Fault.NEVER_FINISHES:
            await asyncio.Event().wait()
        await asyncio.sleep(task.seconds / (wanted.partial_images + 1))
        for frame in self._last_frames(task, wanted, tokens):
            yield frame

    def _last_frames(self, task: Task, wanted: Wanted, tokens: int) -> Iterator[str]:
        if task.fault is Fault.FAILED:
            yield _frame("error", errors.envelope("The server had an error.", kind="server_error"))
            return
        if task.fault is Fault.RESULT_MODERATED:
            yield _frame("error", errors.moderated("output", task.id).body)
            return
        for picture in task.pictures:
            yield _frame(
                _event_name(task, "completed"),
                {
                    "b64_json": inlined(picture, streamed(task.fault)),
                    "created_at": int(self.now()),
                    **_settings(task, wanted),
                    "usage": _usage(task, wanted, tokens),
                },
            )


def _new_id() -> str:
    return f"req_{secrets.token_hex(16)}"


def _check_content_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != wanted:
        raise errors.Refusal(
            400,
            f"Unsupported content type: '{given}'. This API method only accepts '{wanted}' requests.",
            code="unsupported_content_type",
        )


def _described(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_793_750_400, "owned_by": "system"}


def _event_name(task: Task, event: str) -> str:
    return f"image_{'edit' if task.path.endswith('/edits') else 'generation'}.{event}"


def _frame(event: str, data: dict[str, Any]) -> str:
    # An error object is sent as it is; the data of all other events repeats the event's name.
    whole = data if event == "error" else {"type": event, **data}
    return f"event: {event}\ndata: {json.dumps(whole, separators=(',', ':'))}\n\n"


def _settings(task: Task, wanted: Wanted) -> dict[str, Any]:
    """The settings of the image: every value concrete, none "auto"."""
    size = f"{task.pictures[0].width}x{task.pictures[0].height}" if task.pictures else "1024x1024"
    settings: dict[str, Any] = {
        "background": wanted.background,
        "output_format": wanted.output_format,
        "quality": wanted.quality,
        "size": size,
    }
    if wanted.safety_identifier is not None:
        settings["safety_identifier"] = wanted.safety_identifier
    return settings


def _usage(task: Task, wanted: Wanted, image_tokens: int) -> dict[str, Any]:
    text_tokens = max(1, len(wanted.prompt) // 4)
    made = sum(
        round(_TOKENS_OF_LOW * _TIMES_LOW[wanted.quality] * picture.width * picture.height / 1024**2)
        for picture in task.pictures
    )
    return {
        "input_tokens": text_tokens + image_tokens,
        "output_tokens": made,
        "total_tokens": text_tokens + image_tokens + made,
        "input_tokens_details": {"text_tokens": text_tokens, "image_tokens": image_tokens},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
    }
