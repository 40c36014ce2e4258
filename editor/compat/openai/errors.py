"""Errors in OpenAI's format: `{"error": {"message", "type", "param", "code"}}`.

Source: the contract's section 8. OpenAI's clients retry 408, 409, 429 and 5xx twice on their own, unless
`x-should-retry` is false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from editor.errors import (
    Conflict,
    EditorError,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
)
from editor.media.limits import BadImage

USER, REQUEST, SERVER = "image_generation_user_error", "invalid_request_error", "server_error"
# Catalogue name -> OpenAI's name, if they differ.
_PARAMETERS = {
    "width": "size",
    "height": "size",
    "aspectRatio": "size",
    "resolution": "size",
    "outputFormat": "output_format",
    "images": "image",
    "tier": "model",
}


class MissingParameter(InvalidInput):
    """A required field is missing; `fields` names it."""

    code = "missing_required_parameter"


class UnknownModel(NotFound):
    """No model of that name can run here; `fields` contains it too."""

    code = "model_not_found"


class StillRunning(EditorError):
    """The edit takes longer than a call is held. It keeps running and is charged when it completes."""

    code = "timeout"
    status = 504


@dataclass(frozen=True, slots=True)
class Reported:
    """An error as a client receives it.

    status  the HTTP status that makes the clients raise the matching class of error
    again   whether they may retry on their own
    """

    status: int
    type: str
    code: str | None
    message: str
    param: str | None = None
    again: bool = True

    def body(self) -> dict[str, object]:
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def rendered(error: EditorError, status: int | None = None) -> Reported:
    """The error in OpenAI's format. `status` overrides the error's own."""
    status, kind, code, again = _kind(error, status or error.status)
    return Reported(
        status=status,
        type=kind,
        code=code,
        message=error.message,
        param=_parameter(error.fields),
        again=again,
    )


def envelope(status: int, error: EditorError) -> bytes:
    """For the gateway middleware, which also renders Django's own error responses."""
    return json.dumps(rendered(error, status).body()).encode()


def _kind(error: EditorError, status: int) -> tuple[int, str, str | None, bool]:
    """Status, type, code, and whether a client may retry on its own."""
    match error:
        case NotAuthenticated():
            return 401, REQUEST, "invalid_api_key", False
        case InsufficientCredits():
            return 429, "insufficient_quota", "insufficient_quota", False
        case LimitExceeded():
            return 429, "requests", "rate_limit_exceeded", True
        case UnknownModel():
            return 404, REQUEST, error.code, False
        case MissingParameter():
            return 400, REQUEST, error.code, False
        case BadImage():
            return 400, USER, "invalid_image_file", False
        case InvalidInput():
            return 400, REQUEST, "invalid_value", False
        case Conflict():
            return 409, REQUEST, error.code, False
    match error.code:
        case "moderated":
            return 400, USER, "moderation_blocked", False
        case "unavailable":
            return 503, "service_unavailable_error", "server_is_overloaded", True
        case "disk_full" | "storage_full" | "workspace_suspended":
            return status, SERVER if status >= 500 else REQUEST, error.code, False
        case "timeout" | "unknown_outcome" | "insufficient_funds" | "auth":
            # The first two may have been charged; the others need an operator.
            return status, SERVER, error.code, False
    if status >= 500:
        return status, SERVER, SERVER, True
    return status, REQUEST, error.code if status in (413, 422) else None, True


def _parameter(fields: Mapping[str, str]) -> str | None:
    """The first invalid field, by the client's name for it."""
    name = next(iter(fields), None)
    return _PARAMETERS.get(name, name) if name else None
