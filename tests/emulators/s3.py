"""A bucket of an S3-compatible storage, which accepts presigned URLs only if they are valid.

Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)". Requests
that carry their signature in a header are the storage client's own, and accepted unchecked.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from botocore.config import Config
from pytest_django import Settings
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.emulators.server import Server
from tests.patience import PATIENCE

ACCESS_KEY, SECRET_KEY, NAME, REGION = "AKIATEST", "test-secret", "pictures", "us-east-1"


@dataclass
class Stored:
    content: bytes
    content_type: str
    modified: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)


@dataclass
class Bucket:
    """`objects` by key; `calls` as "METHOD key"; `ahead` is its clock's lead in seconds.

    refuses  the status of its response to every new object; 0: it accepts them
    """

    url: str = ""
    objects: dict[str, Stored] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sent: int = 0  # bytes of objects that were downloaded
    ahead: float = 0
    refuses: int = 0

    def storages(self) -> dict[str, Any]:
        """The portal's default storage, as its settings define it for a bucket, but with a long timeout."""
        return {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": NAME,
                "endpoint_url": self.url,
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "file_overwrite": False,
                "querystring_auth": True,
                "client_config": Config(
                    signature_version="s3v4",
                    read_timeout=PATIENCE,
                    retries={"mode": "standard", "total_max_attempts": 1},
                ),
            },
        }

    def use(self, settings: Settings) -> None:
        """Let the portal's code of this test keep its files here."""
        settings.STORAGE_BUCKET = NAME
        settings.STORAGES = settings.STORAGES | {"default": self.storages()}

    def environment(self) -> dict[str, str]:
        """The portal's settings for this bucket."""
        return {
            "STORAGE_BUCKET": NAME,
            "STORAGE_ENDPOINT_URL": self.url,
            "STORAGE_ACCESS_KEY": ACCESS_KEY,
            "STORAGE_SECRET_KEY": SECRET_KEY,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        key = request.url.path.removeprefix(f"/{NAME}/")
        self.calls.append(f"{request.method} {key}")
        if "authorization" not in request.headers and (refusal := self._refusal(request)):
            return _error(403, refusal)
        match request.method:
            case "PUT" if self.refuses:
                await request.body()
                return _error(self.refuses, "Refused")
            case "PUT":
                content = _unwrapped(await request.body(), request.headers.get("content-encoding", ""))
                self.objects[key] = Stored(content, request.headers.get("content-type", ""))
                return Response(headers={"etag": f'"{hashlib.md5(content).hexdigest()}"'})
            case "DELETE":
                self.objects.pop(key, None)
                return Response(status_code=204)
        if "list-type" in request.query_params:
            return self._listed(request)
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        found = self.objects[key]
        if request.method == "HEAD":
            length = {"content-length": str(len(found.content))}
            return Response(headers=length, media_type=found.content_type)
        content = found.content
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        headers = {"content-length": str(len(content) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return StreamingResponse(
            self._given_out(request, content[start:]),
            206 if start else 200,
            headers=headers,
            media_type=found.content_type,
        )

    def _listed(self, request: Request) -> Response:
        """ListObjectsV2: keys after `start-after`, sorted."""
        after, most = request.query_params.get("start-after", ""), int(request.query_params["max-keys"])
        found = [key for key in sorted(self.objects) if key > after][:most]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key].content)}</Size>"
            f"<LastModified>{self.objects[key].modified.isoformat()}</LastModified></Contents>"
            for key in found
        )
        text = f"<ListBucketResult><Name>{NAME}</Name>{contents}</ListBucketResult>"
        return Response(text, media_type="application/xml")

    async def _given_out(self, request: Request, content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65536):
            if await request.is_disconnected():
                return
            yield content[start : start + 65536]
            self.sent += len(content[start : start + 65536])

    def _refusal(self, request: Request) -> str | None:
        """Why a presigned URL does not allow this request."""
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        signature = query.pop("X-Amz-Signature", "")
        if not signature:
            return "AccessDenied"
        at = query["X-Amz-Date"]
        signed_at = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        now = datetime.now(UTC) + timedelta(seconds=self.ahead)
        if now > signed_at + timedelta(seconds=int(query["X-Amz-Expires"])):
            return "AccessDenied: Request has expired"
        names = query["X-Amz-SignedHeaders"].split(";")
        canonical = "\n".join(
            [
                request.method,
                request.scope["raw_path"].decode(),
                "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(query.items())),
                *(f"{name}:{request.headers.get(name, '').strip()}" for name in names),
                "",
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            ]
        )
        day = at[:8]
        lines = ["AWS4-HMAC-SHA256", at, f"{day}/{REGION}/s3/aws4_request", _sha256(canonical)]
        secret = f"AWS4{SECRET_KEY}".encode()
        for part in (day, REGION, "s3", "aws4_request", "\n".join(lines)):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        return None if hmac.compare_digest(secret.hex(), signature) else "SignatureDoesNotMatch"


@contextmanager
def bucket() -> Iterator[Bucket]:
    """A bucket that listens on loopback."""
    one = Bucket()
    server = Server(one)
    server.start()
    one.url = f"http://{server.host}:{server.port}"
    yield one
    server.stop()


@contextmanager
def unreachable_bucket() -> Iterator[Bucket]:
    """A bucket whose address refuses connections."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # without listening
        yield Bucket(url=f"http://127.0.0.1:{deaf.getsockname()[1]}")


@contextmanager
def hung_bucket() -> Iterator[tuple[Bucket, list[socket.socket]]]:
    """A bucket that accepts connections and never responds, and the connections that it has accepted."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):  # the listener is shut down
                while True:
                    accepted.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Bucket(url=f"http://127.0.0.1:{listener.getsockname()[1]}"), accepted
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in accepted:
                each.close()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unwrapped(body: bytes, encoding: str) -> bytes:
    """The data of the chunks that the storage client may send: length in hex, bytes, until length 0."""
    if "aws-chunked" not in encoding:
        return body
    content = b""
    while True:
        head, _, body = body.partition(b"\r\n")
        length = int(head.partition(b";")[0], 16)
        if length == 0:
            return content
        content += body[:length]
        body = body[length + 2 :]


def _error(status: int, code: str) -> Response:
    text = f"<Error><Code>{code.partition(':')[0]}</Code><Message>{code}</Message></Error>"
    return Response(text, status, media_type="application/xml")
