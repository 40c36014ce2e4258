"""Reading of clients' requests to BFL, and BFL's error texts."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.emulators import inputs
from tests.emulators.bfl import sizes
from tests.emulators.bfl.schemas import SCHEMAS, Expand, Fill, Flux2Klein, Schema
from tests.emulators.inputs import Size
from tests.emulators.records import Refused

REPAINT_BASE64 = 20 * 1024 * 1024  # characters
REPAINT_PIXELS = 20_000_000
REPAINT_SIDE = 256  # pixels
PRO_PIXELS = 9 * sizes.MEGAPIXEL  # inputs and result of flux-2-pro
UNSEEN = (1024, 1024)  # assumed for images at URLs that emulators do not fetch


def detail(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": text}, status, headers)


def read_spec(model: str, body: Any) -> Schema:
    """The body, checked against the model's schema."""
    try:
        return SCHEMAS[model].model_validate(body)
    except ValidationError as error:
        raise Refused(JSONResponse({"detail": _problems(error)}, 422)) from error


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    """pydantic's errors as FastAPI sends them."""
    found = []
    for each in error.errors(include_url=False):
        problem: dict[str, Any] = {**each, "loc": ["body", *each["loc"]]}
        if "error" in problem.get("ctx", {}):
            problem["ctx"] = {"error": {}}  # an exception cannot be serialized to JSON
        found.append(problem)
    return found


async def read_json(request: Request) -> Any:
    """The body, read as FastAPI reads it."""
    body = await request.body()
    if not body:
        missing = {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
        raise Refused(JSONResponse({"detail": [missing]}, 422))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return body.decode(errors="replace")  # not an object then
    try:
        return json.loads(body)
    except ValueError as error:
        problem = {
            "type": "json_invalid",
            "loc": ["body", getattr(error, "pos", 0)],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": getattr(error, "msg", str(error))},
        }
        raise Refused(JSONResponse({"detail": [problem]}, 422)) from error


async def look_at(spec: Schema) -> dict[str, Size]:
    """The sizes of the input images, by field."""
    sizes = {name: await _size(spec, name, text) for name, text in spec.pictures().items()}
    if isinstance(spec, Fill) and spec.mask and sizes["mask"] != sizes["image"]:
        raise Refused(detail(400, "Mask and image must have the same size"))
    return sizes


async def _size(spec: Schema, name: str, text: str) -> Size:
    repaint = isinstance(spec, Fill | Expand)
    content: bytes | None
    if inputs.is_url(text) and not repaint:
        if not inputs.is_near(text):
            return UNSEEN
        content = await inputs.fetch(text)
    else:
        content = inputs.decode_base64(text)
    size = inputs.size_of(content) if content else None
    if size is None:
        raise Refused(detail(400, f"Could not read the image in {name}"))
    if repaint and (
        len(text) > REPAINT_BASE64 or size[0] * size[1] > REPAINT_PIXELS or min(size) < REPAINT_SIDE
    ):
        raise Refused(detail(400, f"The image in {name} is too large or too small"))
    return size


def check_pixels(model: str, spec: Schema, *, source: int, output: int) -> None:
    if isinstance(spec, Flux2Klein) and output > sizes.FLUX2_LARGEST:
        raise Refused(detail(400, "The output may have at most 4 megapixels"))
    if model in ("flux-2-pro", "flux-2-pro-preview") and source + output > PRO_PIXELS:
        raise Refused(detail(400, "Inputs and output together may have at most 9 megapixels"))
