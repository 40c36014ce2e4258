"""OpenAI's error envelope, and the refusals that the checks raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from tests.emulators.records import Refused

INVALID_REQUEST = "invalid_request_error"
IMAGE_USER_ERROR = "image_generation_user_error"


class Refusal(Refused):
    """An error response: status, `error` object, additional headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID_REQUEST,
        code: str | None = None,
        param: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.body = envelope(message, kind=kind, code=code, param=param, details=details)
        super().__init__(JSONResponse(self.body, status, headers=headers))


def envelope(
    message: str,
    *,
    kind: str = INVALID_REQUEST,
    code: str | None = None,
    param: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    error: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code}
    if details is not None:
        error["moderation_details"] = dict(details)
    return {"error": error}


def bad_value(param: str, message: str, *, kind: str = INVALID_REQUEST) -> Refusal:
    return Refusal(400, message, kind=kind, code="invalid_value", param=param)


def missing(param: str) -> Refusal:
    return Refusal(
        400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param
    )


def bad_key(key: str) -> Refusal:
    shown = key if len(key) < 12 else f"{key[:8]}{'*' * 8}{key[-4:]}"
    return Refusal(
        401,
        f"Incorrect API key provided: {shown}. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def no_key() -> Refusal:
    return Refusal(401, "You didn't provide an API key in an Authorization header using Bearer auth.")


def unknown_model(model: str) -> Refusal:
    return Refusal(
        404,
        f"The model '{model}' does not exist or you do not have access to it.",
        code="model_not_found",
        param="model",
    )


def moderated(stage: str, request_id: str) -> Refusal:
    """stage: "input" (the prompt or an input image) or "output" (the result)."""
    return Refusal(
        400,
        "Your request was rejected by the safety system. If you believe this is an error, contact us at "
        f"help.openai.com and include the request ID {request_id}. safety_violations=[sexual].",
        kind=IMAGE_USER_ERROR,
        code="moderation_blocked",
        details={"moderation_stage": stage, "categories": ["sexual"]},
    )


def rate_limited(*, retry_after: float | None) -> Refusal:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12s"}
    if retry_after is not None:
        headers["retry-after"] = f"{retry_after:g}"
    return Refusal(
        429,
        "Rate limit reached for images per min. Limit: 5/1min. Current: 6/1min.",
        kind="requests",
        code="rate_limit_exceeded",
        headers=headers,
    )


def out_of_funds() -> Refusal:
    return Refusal(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        kind="insufficient_quota",
        code="insufficient_quota",
    )


def server_error() -> Refusal:
    return Refusal(
        500,
        "The server had an error while processing your request. Sorry about that!",
        kind="server_error",
        code="server_error",
    )


def unverified() -> Refusal:
    return Refusal(
        403,
        "Your organization must be verified to use the model. Please go to "
        "https://platform.openai.com/settings/organization/general and click on Verify Organization.",
    )


def spend_cap() -> Refusal:
    return Refusal(400, "Billing hard limit has been reached.", code="billing_hard_limit_reached")


def overloaded() -> Refusal:
    return Refusal(
        503,
        "The server is currently overloaded. Please try again later.",
        kind="service_unavailable_error",
        code="server_is_overloaded",
    )
