"""Errors in BFL's format, which is FastAPI's: `detail` is a message or a list of invalid fields."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from editor.errors import EditorError, InsufficientCredits, InvalidInput, NotAuthenticated
from editor.gateway.profile import RepeatedCredentials
from editor.operations.limits import OverLimit


class WrongFields(EditorError):
    """Fields of the body or the query are invalid; `details` lists them as FastAPI does."""

    code = "invalid_input"
    status = 422

    def __init__(self, details: list[dict[str, Any]]) -> None:
        super().__init__("Some fields are invalid.")
        self.details = details


class NoKey(NotAuthenticated):
    """The key is missing."""


class NoKeyFormat(NotAuthenticated):
    """The key does not have the format of a key."""


def wrong(problem: str, *place: str) -> dict[str, Any]:
    """One of WrongFields' details."""
    return {"type": "value_error", "loc": list(place), "msg": problem, "input": None}


def status(error: EditorError) -> int:
    """BFL's status for the error. BFL has no 401: here only for repeated credentials."""
    match error:
        case RepeatedCredentials():
            return 401
        case NoKeyFormat():
            return 422
        case NotAuthenticated():
            return 403
    return error.status


def envelope(status: int, error: EditorError) -> bytes:
    return json.dumps({"detail": _detail(status, error)}).encode()


def _detail(status: int, error: EditorError) -> str | list[dict[str, Any]]:
    match error:
        case WrongFields():
            return error.details
        case OverLimit():
            return f"Insufficient credits. {error.message}"
        case InsufficientCredits():
            return "Insufficient credits"
        case NoKey():
            return "Not authenticated"
        case NoKeyFormat():
            return "Invalid API key format"
        case RepeatedCredentials():
            return error.message
        case NotAuthenticated():
            return "Not authenticated - Invalid Authentication"
        case InvalidInput() if error.fields:
            return [wrong(problem, "body", name) for name, problem in error.fields.items()]
    # Django's own error responses have no class of their own.
    return HTTPStatus(status).phrase if type(error) is EditorError and status < 500 else error.message
