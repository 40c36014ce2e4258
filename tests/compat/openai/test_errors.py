"""The portal's errors in OpenAI's format."""

from __future__ import annotations

import json

import pytest

from editor.compat.openai.errors import MissingParameter, StillRunning, UnknownModel, envelope, rendered
from editor.errors import (
    Conflict,
    EditorError,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    Unprocessable,
)
from editor.gateway.outcome import failure
from editor.media.limits import BadImage
from editor.models import Job, Status

REQUEST = "invalid_request_error"


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "again"),
    [
        (NotAuthenticated("x"), 401, REQUEST, "invalid_api_key", False),
        (PermissionDenied("x"), 403, REQUEST, None, True),
        (NotFound("x"), 404, REQUEST, None, True),
        (UnknownModel("x"), 404, REQUEST, "model_not_found", False),
        (MissingParameter("x"), 400, REQUEST, "missing_required_parameter", False),
        (InvalidInput("x"), 400, REQUEST, "invalid_value", False),
        (BadImage("x"), 400, "image_generation_user_error", "invalid_image_file", False),
        (InsufficientCredits("x"), 429, "insufficient_quota", "insufficient_quota", False),
        (LimitExceeded("x"), 429, "requests", "rate_limit_exceeded", True),
        (Conflict("x"), 409, REQUEST, "conflict", False),
        (Unprocessable("x"), 422, REQUEST, "unprocessable", True),
        (StillRunning("x"), 504, "server_error", "timeout", False),
        (EditorError("x"), 500, "server_error", "server_error", True),
    ],
)
def test_each_error_has_openais_status_type_and_code(
    error: EditorError, status: int, kind: str, code: str | None, again: bool
) -> None:
    it = rendered(error)
    assert (it.status, it.type, it.code, it.again, it.message) == (status, kind, code, again, "x")


@pytest.mark.parametrize(
    ("code", "status", "expected_code", "again"),
    [
        ("moderated", 400, "moderation_blocked", False),
        ("invalid_input", 400, "invalid_value", False),
        ("rate_limited", 429, "rate_limit_exceeded", True),
        ("unavailable", 503, "server_is_overloaded", True),
        ("timeout", 500, "timeout", False),
        ("unknown_outcome", 500, "unknown_outcome", False),
        ("insufficient_funds", 500, "insufficient_funds", False),
        ("auth", 500, "auth", False),
        ("", 500, "server_error", True),
    ],
)
def test_failed_jobs_have_openais_status_and_code(
    code: str, status: int, expected_code: str, again: bool
) -> None:
    error = failure(Job(status=Status.FAILED, error_code=code, error="No."))
    assert error is not None
    it = rendered(error)
    assert (it.status, it.code, it.again) == (status, expected_code, again)


def test_a_canceled_edit_is_not_retried() -> None:
    error = failure(Job(status=Status.CANCELED))
    assert error is not None
    assert (rendered(error).status, rendered(error).again) == (409, False)


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ("height", "size"),
        ("aspectRatio", "size"),
        ("outputFormat", "output_format"),
        ("seed", "seed"),
    ],
)
def test_an_invalid_field_is_reported_by_its_openai_name(field: str, param: str) -> None:
    assert rendered(InvalidInput("x", fields={field: "no"})).param == param


def test_the_envelope_is_openais() -> None:
    body = json.loads(envelope(400, InvalidInput("Too big.", fields={"width": "no"})))
    error = {"message": "Too big.", "type": REQUEST, "param": "size", "code": "invalid_value"}
    assert body == {"error": error}
