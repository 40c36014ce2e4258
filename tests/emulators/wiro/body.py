"""Parsing of requests to Wiro (JSON, multipart or urlencoded), and Wiro's error responses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.emulators.records import Refused

Fields = list[tuple[str, Any]]  # names may repeat, and the order counts


@dataclass(frozen=True)
class File:
    """A file part of a multipart body."""

    name: str
    content_type: str
    content: bytes


def failure(
    code: int, message: str, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Wiro responds to most errors with HTTP 200; only 401 and 404 are known exceptions."""
    return JSONResponse(
        {"result": False, "errors": [{"code": code, "message": message}]}, status, headers=headers
    )


def invalid() -> Refused:
    return Refused(failure(0, "Request parameters are invalid."))


async def read(request: Request) -> Fields:
    """The fields of the body. A multipart body without boundary, as in Wiro's own samples, is JSON."""
    content_type = request.headers.get("content-type", "").lower()
    if content_type.startswith("application/x-www-form-urlencoded") or "boundary=" in content_type:
        try:
            async with request.form() as form:
                return [(name, await _plain(value)) for name, value in form.multi_items()]
        except Exception as error:  # Starlette's own for a malformed form
            raise invalid() from error
    body = await request.body()
    if not body:
        return []
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise invalid() from error
    if not isinstance(fields, dict):
        raise invalid()
    return list(fields.items())


def slot(name: str) -> str:
    """The file input of a field: `inputImage` for it, `inputImageUrl` and `inputImage[0]`."""
    return re.sub(r"\[\d*\]$", "", name).removesuffix("Url")


def together(fields: Fields) -> dict[str, Any]:
    """The fields by name; a list if a name repeats."""
    found: dict[str, list[Any]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def value(fields: Fields, name: str) -> str:
    """The text of a field; "" if it is not sent."""
    sent = together(fields).get(name)
    return "" if sent is None or isinstance(sent, File | list | dict) else str(sent).strip()


async def _plain(value: UploadFile | str) -> File | str:
    if isinstance(value, str):
        return value
    return File(value.filename or "", value.content_type or "", await value.read())


def ok(content: dict[str, Any]) -> Response:
    return JSONResponse(content)
