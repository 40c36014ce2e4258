"""Google's error envelope (google.rpc.Status as JSON), and the refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from tests.emulators.records import Refused

_RPC = "type.googleapis.com/google.rpc."


class Refusal(Refused):
    def __init__(
        self, code: int, status: str, message: str, *, details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        error: dict[str, Any] = {"code": code, "message": message, "status": status}
        if details:
            error["details"] = list(details)
        self.body = {"error": error}
        super().__init__(JSONResponse(self.body, code))


def invalid(message: str) -> Refusal:
    return Refusal(400, "INVALID_ARGUMENT", message)


def invalid_fields(violations: Sequence[tuple[str, str]]) -> Refusal:
    """violations: path of the field (of the message, for an unknown name) and description of the error."""
    fields = [{"field": field, "description": description} for field, description in violations]
    message = "\n".join(description for _, description in violations)
    return Refusal(
        400,
        "INVALID_ARGUMENT",
        message,
        details=[{"@type": f"{_RPC}BadRequest", "fieldViolations": fields}],
    )


def bad_key() -> Refusal:
    info = {
        "@type": f"{_RPC}ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return Refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", details=[info])


def no_key() -> Refusal:
    return Refusal(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API "
        "Key or other form of API consumer identity to call this API.",
    )


def forbidden() -> Refusal:
    return Refusal(403, "PERMISSION_DENIED", "The caller does not have permission")


def no_billing() -> Refusal:
    return Refusal(
        400, "FAILED_PRECONDITION", "The model needs a project with billing. Please enable billing on it."
    )


def not_found(model: str, version: str) -> Refusal:
    return Refusal(
        404,
        "NOT_FOUND",
        f"models/{model} is not found for API version {version}, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def exhausted(*, model: str, per_day: bool, retry_delay: float | None) -> Refusal:
    """per_day: the daily quota is used up, a retry is useless; else too many in this minute."""
    window = "Day" if per_day else "Minute"
    details: list[dict[str, Any]] = [
        {
            "@type": f"{_RPC}QuotaFailure",
            "violations": [
                {
                    "quotaMetric": "generativelanguage.googleapis.com/generate_content_paid_tier_requests",
                    "quotaId": f"GenerateRequestsPer{window}PerProjectPerModel",
                    "quotaDimensions": {"location": "global", "model": model},
                }
            ],
        },
        {
            "@type": f"{_RPC}Help",
            "links": [
                {"description": "Learn more", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
            ],
        },
    ]
    if retry_delay is not None:
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{retry_delay:g}s"})
    return Refusal(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        details=details,
    )


def internal() -> Refusal:
    return Refusal(
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    )


def overloaded() -> Refusal:
    return Refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
