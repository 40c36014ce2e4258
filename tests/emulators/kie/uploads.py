"""kie's file uploads: three kinds of request, one format of response, files that expire after a day."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from tests.emulators import inputs

LIFETIME = 24 * 3600  # seconds
LARGEST = 100 * 1024 * 1024  # bytes
DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>.*)", re.DOTALL)


class BadUpload(Exception):
    """Refused with this code and message."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Upload:
    path: str  # folder and name, below the file host
    content: bytes
    content_type: str
    at: float

    def reported(self, origin: str) -> dict[str, Any]:
        """`data` of the response."""
        moment = datetime.fromtimestamp(self.at, UTC)
        return {
            "fileName": self.path.rpartition("/")[2],
            "filePath": self.path,
            "downloadUrl": f"{origin}/tempfile/{quote(self.path)}",
            "fileSize": len(self.content),
            "mimeType": self.content_type,
            "uploadedAt": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
        }


async def from_base64(request: Request, *, at: float) -> Upload:
    fields = await _json(request)
    text = _needed(fields, "base64Data")
    folder = _needed(fields, "uploadPath")
    data_url = DATA_URL.fullmatch(text)
    content = inputs.decode_base64(data_url["data"] if data_url else text)
    if not content:
        raise BadUpload("Invalid base64Data")
    kind = data_url["type"] if data_url else _sniffed(content)
    return _upload(folder, fields.get("fileName"), content, kind, at)


async def from_stream(request: Request, *, at: float) -> Upload:
    if not request.headers.get("content-type", "").startswith("multipart/form-data; boundary="):
        raise BadUpload("Missing required parameter: file")
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadUpload("Missing required parameter: file")
        folder = _needed(form, "uploadPath")
        name = form.get("fileName") or file.filename
        content = await file.read()
        return _upload(folder, name, content, file.content_type or _sniffed(content), at)


async def from_url(request: Request, *, at: float) -> Upload:
    fields = await _json(request)
    url = _needed(fields, "fileUrl")
    folder = _needed(fields, "uploadPath")
    content = await inputs.fetch(url) if inputs.is_url(url) and inputs.is_near(url) else None
    if content is None:
        raise BadUpload("Failed to download file from URL", 500)
    name = fields.get("fileName") or urlsplit(url).path.rpartition("/")[2]
    return _upload(folder, name, content, _sniffed(content), at)


def _upload(folder: str, name: Any, content: bytes, content_type: str, at: float) -> Upload:
    if len(content) > LARGEST:
        raise BadUpload("File size exceeds limit")
    name = name if isinstance(name, str) and name else secrets.token_hex(8)
    return Upload(f"{folder.strip('/')}/{name}", content, content_type, at)


def _sniffed(content: bytes) -> str:
    try:
        with Image.open(BytesIO(content)) as image:
            return image.get_format_mimetype() or "application/octet-stream"
    except UnidentifiedImageError:
        return "application/octet-stream"


def _needed(fields: Any, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadUpload(f"Missing required parameter: {name}")
    return value


async def _json(request: Request) -> dict[str, Any]:
    try:
        fields = await request.json()
    except ValueError as error:
        raise BadUpload("Invalid JSON") from error
    if not isinstance(fields, dict):
        raise BadUpload("Invalid JSON")
    return fields
