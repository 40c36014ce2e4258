"""The outcome of a request: status, headers and body of its result, and fal's three kinds of error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse

from tests.emulators.records import Refused


@dataclass(frozen=True)
class Outcome:
    """`error` and `error_type` are in the status too; only platform errors have them."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    error_type: str = ""


class ModelError(Exception):
    """The model rejects this input, or failed on it."""

    def __init__(
        self,
        kind: str,
        message: str,
        *loc: str | int,
        status: int = 422,
        ctx: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        problem: dict[str, Any] = {
            "loc": ["body", *loc],
            "msg": message,
            "type": kind,
            "url": f"https://docs.fal.ai/errors#{kind}",
        }
        if ctx is not None:
            problem["ctx"] = ctx
        self.outcome = model_error([problem], status=status)


def model_error(problems: list[dict[str, Any]], *, status: int = 422) -> Outcome:
    headers = {"x-fal-retryable": "true" if status >= 500 else "false"}
    return Outcome(status, {"detail": problems}, headers)


def platform_error(error_type: str, message: str, *, status: int) -> Outcome:
    body = {"detail": message, "error_type": error_type}
    return Outcome(status, body, {"x-fal-error-type": error_type}, message, error_type)


CANCELLED = platform_error("client_cancelled", "Request was cancelled", status=499)
TOO_LATE = Outcome(
    504,
    {"detail": "The request was not started in time", "error_type": "request_timeout"},
    {"x-fal-error-type": "request_timeout", "x-fal-request-timeout-type": "user"},
    "The request was not started in time",
    "request_timeout",
)
FLAGGED = "The content could not be processed because it contained material flagged by a content checker."


def refused(status: int, message: str, **headers: str) -> Refused:
    """A response about the account or the URL."""
    return Refused(JSONResponse({"detail": message}, status, headers=headers))


def bad_request(message: str) -> Refused:
    outcome = platform_error("bad_request", message, status=400)
    return Refused(JSONResponse(outcome.body, 400, headers=outcome.headers))
