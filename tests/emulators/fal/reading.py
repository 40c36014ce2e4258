"""Reading of requests: their origin, their JSON, their options in headers and query."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from tests.emulators.fal.outcomes import bad_request
from tests.emulators.inputs import is_url


def origin(request: Request) -> str:
    """The origin by which the client reached the emulator: the base of all URLs in responses."""
    return str(request.base_url).rstrip("/")


async def read_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise bad_request("The request body is not valid JSON") from None


def lifetime(request: Request) -> float | None:
    """Seconds for which the client wants files to be kept, from its header; None without one."""
    header = request.headers.get("x-fal-object-lifecycle-preference")
    if header is None:
        return None
    try:
        seconds = json.loads(header).get("expiration_duration_seconds")
    except (ValueError, AttributeError):
        raise bad_request("Invalid x-fal-object-lifecycle-preference") from None
    if seconds is not None and (not isinstance(seconds, int | float) or seconds <= 0):
        raise bad_request("Invalid x-fal-object-lifecycle-preference")
    return seconds


def check_spec(request: Request) -> float:
    """Check the headers and the query of a submit. Returns how many seconds it may wait to start."""
    if request.headers.get("x-fal-queue-priority", "normal") not in ("normal", "low"):
        raise bad_request("Invalid x-fal-queue-priority")
    webhook = request.query_params.get("fal_webhook")
    if webhook is not None and not is_url(webhook):
        raise bad_request("Invalid fal_webhook")
    header = request.headers.get("x-fal-request-timeout", "inf")
    try:
        timeout = float(header)
    except ValueError:
        timeout = 0.0
    if not timeout > 1:
        raise bad_request("Invalid x-fal-request-timeout")
    return timeout
