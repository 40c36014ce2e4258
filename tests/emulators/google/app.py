"""The endpoints of the Gemini API that make images."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator
from tests.emulators.faults import RETRY_AFTER, UNKNOWN_WORD, Fault, Step, spoil
from tests.emulators.google import errors, schema, spec
from tests.emulators.google.models import MODELS
from tests.emulators.google.spec import Spec
from tests.emulators.inline import answer, inlined, streamed
from tests.emulators.pictures import Picture
from tests.emulators.records import Task

# The known forms of a candidate without a usable image.
BLOCKED: tuple[dict[str, Any], ...] = (
    {"content": {}},
    {},
    {"content": {"role": "model"}},
    {"content": {"role": "model", "parts": None}},
)
_VERSIONS = ("v1", "v1beta")
_BODY_BYTES = 20 * 1024**2
_TOKENS_OF_AN_IMAGE = 516  # per input image
_TOKENS_OF_A_RESULT = 1120
_TOKENS_OF_THOUGHT = 110
# Faults under which a streamed response is sent as a whole.
_WHOLE = (Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG)


class Google(Emulator):
    """See the package. `seconds` is how long a call is held before the response.

    format         of the results: png or jpeg; Google does not let clients choose
    usage          whether responses have usageMetadata
    blocked        one of BLOCKED: the form of the candidate under RESULT_MODERATED
    block_reason   of PROMPT_MODERATED
    finish_reason  of RESULT_MODERATED
    empty_reason   the finishReason of EMPTY_RESULT
    """

    name: ClassVar[str] = "google"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.format = "png"
        self.usage = True
        self.blocked = BLOCKED[0]
        self.block_reason = "PROHIBITED_CONTENT"
        self.finish_reason = "IMAGE_SAFETY"
        self.empty_reason = "STOP"

    def routes(self) -> list[BaseRoute]:
        return [
            self.route("POST", "/{version}/models/{call}", self._call, Step.SUBMIT),
            self.route("GET", "/{version}/models", self._models),
            self.route("GET", "/{version}/models/{model}", self._model),
        ]

    def refusal(self, fault: Fault) -> Response:
        match fault:
            case Fault.WRONG_KEY:
                refusal = errors.bad_key()
            case Fault.OUT_OF_FUNDS:
                refusal = errors.exhausted(model="gemini-3-pro-image", per_day=True, retry_delay=None)
            case Fault.RATE_LIMITED:
                refusal = errors.exhausted(model="gemini-3-pro-image", per_day=False, retry_delay=None)
            case Fault.RATE_LIMITED_RETRY_AFTER:
                refusal = errors.exhausted(model="gemini-3-pro-image", per_day=False, retry_delay=RETRY_AFTER)
            case _:
                refusal = errors.internal()
        return refusal.response

    def lost(self, request: Request, status: int) -> Response:
        return HTMLResponse("<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", 404)

    def _authorise(self, request: Request) -> None:
        key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
        if not key:
            raise errors.no_key()
        if key != self.key:
            raise errors.bad_key()

    async def _models(self, request: Request, fault: Fault | None) -> Response:
        if request.path_params["version"] not in _VERSIONS:
            return self.lost(request, 404)
        self._authorise(request)
        return JSONResponse({"models": [_described(name) for name in MODELS]})

    async def _model(self, request: Request, fault: Fault | None) -> Response:
        version, name = request.path_params["version"], request.path_params["model"]
        if version not in _VERSIONS:
            return self.lost(request, 404)
        self._authorise(request)
        if name not in MODELS:
            raise errors.not_found(name, version)
        return JSONResponse(_described(name))

    async def _call(self, request: Request, fault: Fault | None) -> Response:
        version = request.path_params["version"]
        name, _, method = request.path_params["call"].partition(":")
        if version not in _VERSIONS or method not in ("generateContent", "streamGenerateContent"):
            return self.lost(request, 404)
        self._authorise(request)
        if name not in MODELS:
            raise errors.not_found(name, version)
        body = await request.body()
        if len(body) > _BODY_BYTES:
            raise errors.invalid(f"Request payload size exceeds the limit: {_BODY_BYTES} bytes.")
        try:
            document = json.loads(body)
        except ValueError:
            raise errors.invalid("Invalid JSON payload received. Unexpected token.") from None
        wanted = spec.read(schema.parse(document), name, MODELS[name])
        match fault:
            case Fault.OVERLOADED:
                raise errors.overloaded()
            case Fault.FORBIDDEN:
                raise errors.forbidden()
            case Fault.SPEND_CAP:
                raise errors.no_billing()
            case Fault.PROMPT_MODERATED:
                return JSONResponse(self._prompt_blocked(name))
        task = self.accept(self._task(request, document, wanted, fault))
        if method == "generateContent":
            return await self._generate(task, wanted, name)
        if request.query_params.get("alt") != "sse":
            await asyncio.sleep(task.seconds)
            return JSONResponse(self._chunks(task, wanted, name))
        if fault in _WHOLE:
            await asyncio.sleep(task.seconds)
            frames = "".join(_frame(chunk) for chunk in self._chunks(task, wanted, name))
            return Response(frames, media_type="text/event-stream")
        return StreamingResponse(self._frames(task, wanted, name), media_type="text/event-stream")

    def _task(self, request: Request, document: Any, wanted: Spec, fault: Fault | None) -> Task:
        picture = self.picture(
            prompt=wanted.prompt,
            seed=wanted.seed,
            width=wanted.width,
            height=wanted.height,
            format=self.format,
        )
        without = (Fault.EMPTY_RESULT, Fault.RESULT_MODERATED, Fault.UNKNOWN_STATUS)
        return Task(
            id=secrets.token_urlsafe(16),
            path=request.url.path,
            headers=dict(request.headers),
            request=document,
            at=self.now(),
            seconds=self.seconds,
            fault=fault,
            pictures=[] if fault in without else [picture],
        )

    async def _generate(self, task: Task, wanted: Spec, name: str) -> Response:
        if task.fault is Fault.NEVER_FINISHES:
            return spoil(Response(), Fault.HANG)
        await asyncio.sleep(task.seconds)
        if task.fault is Fault.FAILED:
            raise errors.internal()
        document = {
            "candidates": [self._candidate(task, wanted, task.fault)],
            **self._metadata(task.id, name, wanted=wanted),
        }
        return answer(document, task.pictures, task.fault)

    async def _frames(self, task: Task, wanted: Spec, name: str) -> AsyncIterator[str]:
        if task.fault is Fault.NEVER_FINISHES:
            await asyncio.Event().wait()
        await asyncio.sleep(task.seconds)
        for chunk in self._chunks(task, wanted, name):
            yield _frame(chunk)

    def _chunks(self, task: Task, wanted: Spec, name: str) -> list[dict[str, Any]]:
        """The response in chunks: one for each part, the finishReason in the last."""
        if task.fault is Fault.FAILED:
            return [errors.internal().body]
        candidate = self._candidate(task, wanted, streamed(task.fault))
        parts = (candidate.pop("content", None) or {}).get("parts") or []
        chunks: list[dict[str, Any]] = [
            {
                "candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}],
                "modelVersion": name,
                "responseId": task.id,
            }
            for part in parts
        ]
        return [*chunks, {"candidates": [candidate], **self._metadata(task.id, name, wanted=wanted)}]

    def _candidate(self, task: Task, wanted: Spec, fault: Fault | None) -> dict[str, Any]:
        match fault:
            case Fault.RESULT_MODERATED:
                message = "Unable to show the generated image. It may violate Google's policies."
                return {
                    **self.blocked,
                    "finishReason": self.finish_reason,
                    "finishMessage": message,
                    "index": 0,
                }
            case Fault.UNKNOWN_STATUS:
                return {"content": {"role": "model"}, "finishReason": UNKNOWN_WORD.upper(), "index": 0}
            case Fault.EMPTY_RESULT:
                parts: list[dict[str, Any]] = [{"text": "I cannot draw that, but I can tell you about it."}]
                return {
                    "content": {"role": "model", "parts": parts},
                    "finishReason": self.empty_reason,
                    "index": 0,
                }
        parts = []
        picture = task.pictures[0]
        if wanted.thoughts:
            # A client that takes the first image takes this one by mistake.
            draft = Picture(picture.prompt, picture.seed - 1, picture.width, picture.height, self.format)
            parts.append({"text": "I will draw a draft first.", "thought": True})
            parts.append({"inlineData": _blob(draft, None), "thought": True})
        if wanted.text:
            parts.append({"text": "Here is your picture."})
        signature = b64encode(f"signature of {task.id}".encode()).decode()
        parts.append({"inlineData": _blob(picture, fault), "thoughtSignature": signature})
        return {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}

    def _prompt_blocked(self, name: str) -> dict[str, Any]:
        feedback = {"blockReason": self.block_reason}
        return {"promptFeedback": feedback, **self._metadata(secrets.token_urlsafe(16), name, wanted=None)}

    def _metadata(self, response_id: str, name: str, *, wanted: Spec | None) -> dict[str, Any]:
        """wanted: of a response with a candidate; None if the prompt was blocked."""
        metadata: dict[str, Any] = {"modelVersion": name, "responseId": response_id}
        if not self.usage:
            return metadata
        if wanted is None:
            return {"usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}, **metadata}
        text = max(1, len(wanted.prompt) // 4)
        sent = _TOKENS_OF_AN_IMAGE * wanted.images
        details = [{"modality": "TEXT", "tokenCount": text}]
        if sent:
            details.append({"modality": "IMAGE", "tokenCount": sent})
        usage = {
            "promptTokenCount": text + sent,
            "candidatesTokenCount": _TOKENS_OF_A_RESULT,
            "thoughtsTokenCount": _TOKENS_OF_THOUGHT,
            "totalTokenCount": text + sent + _TOKENS_OF_A_RESULT + _TOKENS_OF_THOUGHT,
            "promptTokensDetails": details,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": _TOKENS_OF_A_RESULT}],
        }
        return {"usageMetadata": usage, **metadata}


def _described(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "displayName": MODELS[name].title,
        "inputTokenLimit": 65536,
        "outputTokenLimit": 32768,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _blob(picture: Picture, fault: Fault | None) -> dict[str, str]:
    return {"mimeType": picture.content_type, "data": inlined(picture, fault)}


def _frame(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\r\n\r\n"
