"""fal's file store: uploads with a token, signed uploads whole or in parts, and the links to all files."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.base import Emulator
from tests.emulators.fal.outcomes import bad_request, refused
from tests.emulators.fal.reading import lifetime, origin, read_json
from tests.emulators.faults import Fault, Step
from tests.emulators.pictures import Picture
from tests.emulators.records import Task

_TOKEN_SECONDS = 3600
_KINDS = ("fal-cdn-v3", "gcs")


@dataclass
class StoredFile:
    """The target of a link: bytes that a client uploaded, or an image of a task.

    expires_at  Unix seconds by the emulator's clock, or None
    parts       of an upload that is not complete yet
    """

    content_type: str
    content: bytes | None = None
    picture: Picture | None = None
    task: Task | None = None
    expires_at: float | None = None
    parts: dict[int, bytes] = field(default_factory=dict)


class Storage:
    """`authorise` raises Refused for a request without the account's key."""

    def __init__(self, emulator: Emulator, authorise: Callable[[Request], None]) -> None:
        self.files: dict[str, StoredFile] = {}
        self._emulator = emulator
        self._authorise = authorise
        self._tokens: dict[str, float] = {}

    def routes(self) -> list[Route]:
        route = self._emulator.route
        return [
            route("POST", "/storage/auth/token", self._token, Step.UPLOAD),
            route("POST", "/files/upload", self._upload, Step.UPLOAD),
            route("POST", "/storage/upload/initiate", self._initiate, Step.UPLOAD),
            route("POST", "/storage/upload/initiate-multipart", self._initiate, Step.UPLOAD),
            route("PUT", "/upload/{path:path}/{part:int}", self._put_part, Step.UPLOAD),
            route("POST", "/upload/{path:path}/complete", self._complete, Step.UPLOAD),
            route("PUT", "/upload/{path:path}", self._put, Step.UPLOAD),
            route("GET", "/files/{path:path}", self._download, Step.DOWNLOAD),
        ]

    def keep(self, file: StoredFile, name: str) -> str:
        """Store the file; returns its path on the file host."""
        path = f"{secrets.token_hex(2)}/{secrets.token_urlsafe(16)}_{name}"
        self.files[path] = file
        return path

    async def _token(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        _check_kind(request)
        token = secrets.token_urlsafe(24)
        expires_at = self._emulator.now() + _TOKEN_SECONDS
        self._tokens[token] = expires_at
        return JSONResponse(
            {
                "token": token,
                "token_type": "Bearer",
                "base_url": origin(request),
                "expires_at": datetime.fromtimestamp(expires_at, UTC).isoformat(),
            }
        )

    async def _upload(self, request: Request, fault: Fault | None) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or self._tokens.get(token, 0) <= self._emulator.now():
            raise refused(401, "Invalid or expired token")
        content_type = request.headers.get("content-type", "application/octet-stream")
        name = request.headers.get("x-fal-file-name", "upload.bin")
        file = StoredFile(content_type, await request.body(), expires_at=self._expiry(request))
        return JSONResponse({"access_url": f"{origin(request)}/files/{self.keep(file, name)}"})

    async def _initiate(self, request: Request, fault: Fault | None) -> Response:
        self._authorise(request)
        _check_kind(request)
        spec = await read_json(request)
        names = ("content_type", "file_name")
        if not isinstance(spec, dict) or not all(isinstance(spec.get(name), str) for name in names):
            raise bad_request("content_type and file_name are needed")
        file = StoredFile(spec["content_type"], expires_at=self._expiry(request))
        path = self.keep(file, spec["file_name"])
        here = origin(request)
        return JSONResponse({"upload_url": f"{here}/upload/{path}", "file_url": f"{here}/files/{path}"})

    async def _put(self, request: Request, fault: Fault | None) -> Response:
        file = self._begun(request)
        if request.headers.get("content-type") != file.content_type:
            raise refused(403, "The content type is not the one that was signed")
        file.content = await request.body()
        return Response(status_code=200)

    async def _put_part(self, request: Request, fault: Fault | None) -> Response:
        content = await request.body()
        number = request.path_params["part"]
        self._begun(request).parts[number] = content
        etag = _etag(content)
        return JSONResponse({"partNumber": number, "etag": etag}, headers={"etag": etag})

    async def _complete(self, request: Request, fault: Fault | None) -> Response:
        file = self._begun(request)
        spec = await read_json(request)
        wanted = [{"partNumber": number, "etag": _etag(file.parts[number])} for number in sorted(file.parts)]
        if not isinstance(spec, dict) or spec.get("parts") != wanted:
            raise bad_request("The parts are not those that were sent")
        file.content = b"".join(file.parts[number] for number in sorted(file.parts))
        return JSONResponse({})

    def _begun(self, request: Request) -> StoredFile:
        file = self.files.get(request.path_params["path"])
        if file is None or file.picture or file.content is not None:
            raise refused(404, "Not Found")
        return file

    async def _download(self, request: Request, fault: Fault | None) -> Response:
        file = self.files.get(request.path_params["path"])
        if file is None:
            return self._emulator.link_not_found()
        if file.expires_at is not None and file.expires_at <= self._emulator.now():
            return self._emulator.link_expired()
        if file.picture is not None:
            assert file.task is not None
            file.task.downloads += 1
            return self._emulator.deliver(file.picture, file.task.under(fault))
        if file.content is None:
            return self._emulator.link_not_found()
        return Response(file.content, media_type=file.content_type)

    def _expiry(self, request: Request) -> float | None:
        seconds = lifetime(request)
        return None if seconds is None else self._emulator.now() + seconds


def _check_kind(request: Request) -> None:
    if request.query_params.get("storage_type") not in _KINDS:
        raise bad_request("Unknown storage_type")


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
