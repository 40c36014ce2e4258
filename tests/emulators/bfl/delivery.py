"""BFL's delivery host: an Azure blob store whose signed links expire ten minutes after the work."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from tests.emulators.records import Task

LIFETIME = 600  # seconds after the end of the work
_SECRET = b"the delivery host's own"


def link(task: Task, *, now: float) -> str:
    """Path and query of the result's file. After it has expired, it is signed anew."""
    picture = task.pictures[0]
    until = task.ends_at + LIFETIME
    if until <= now:
        until = now + LIFETIME
    expiry = f"{datetime.fromtimestamp(until, UTC):%Y-%m-%dT%H:%M:%SZ}"
    name = hashlib.sha256(task.id.encode()).hexdigest()
    path = f"/results/{name[:2]}/{name[2:16]}/{task.id.replace('-', '')}/sample.{picture.format}"
    return (
        f"{path}?se={quote(expiry, safe='')}&sp=r&sv=2024-11-04&sr=b&rsct={picture.content_type}"
        f"&sig={quote(_signature(path, expiry), safe='')}"
    )


def problem(request: Request, *, now: float) -> Response | None:
    """The error response to an invalid link, if it is invalid."""
    expiry = request.query_params.get("se", "")
    signature = request.query_params.get("sig", "")
    if not hmac.compare_digest(signature, _signature(request.url.path, expiry)):
        return denied("Signature did not match.")
    if datetime.fromisoformat(expiry).timestamp() <= now:
        return denied(f"Signed expiry time [{expiry}] must be after signed start time.")
    return None


def denied(detail: str) -> Response:
    return _azure(
        403,
        "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed "
        "correctly including the signature.",
        f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>",
    )


def not_found() -> Response:
    return _azure(404, "BlobNotFound", "The specified blob does not exist.")


def _azure(status: int, code: str, message: str, detail: str = "") -> Response:
    body = (
        f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>{message}</Message>{detail}</Error>"
    )
    return Response(body, status, {"x-ms-error-code": code}, media_type="application/xml")


def _signature(path: str, expiry: str) -> str:
    digest = hmac.new(_SECRET, f"{path}\n{expiry}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
