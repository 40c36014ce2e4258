"""Interprets OpenAI's responses. Source: the contract's sections 6 and 8."""

from __future__ import annotations

import base64
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, ProviderError, Result, ResultImage
from editor.providers.failures import failure, temporary
from editor.providers.http import Answer

# OpenAI's codes distinguish errors with the same status: 400 for refusals and for spent budgets,
# 429 for too many requests and for missing funds.
_KINDS = {
    "moderation_blocked": ErrorKind.MODERATED,
    "content_policy_violation": ErrorKind.MODERATED,
    "billing_hard_limit_reached": ErrorKind.INSUFFICIENT_FUNDS,
    "insufficient_quota": ErrorKind.INSUFFICIENT_FUNDS,
    "credit_balance_exhausted": ErrorKind.INSUFFICIENT_FUNDS,
    "organization_spend_limit_exceeded": ErrorKind.INSUFFICIENT_FUNDS,
    "project_spend_limit_exceeded": ErrorKind.INSUFFICIENT_FUNDS,
    "organization_usage_limit_exceeded": ErrorKind.INSUFFICIENT_FUNDS,
    "unsupported_country_region_territory": ErrorKind.UNAVAILABLE,
}


def result(answer: Answer, *, most: int) -> Result:
    """The images of a generation or an edit, possibly none: that was charged too, and must not be resent.

    most  the maximum number of images; unreadable ones are left out if others are readable

    Raises ProviderError. Slow: do not call it on the event loop.
    """
    if not answer.ok:
        raise refused(answer)
    body = answer.table()
    data = body.get("data")
    if not isinstance(data, list):
        raise failure(ErrorKind.UNKNOWN_OUTCOME)  # it was made and charged
    content_type = f"image/{body.get('output_format') or 'png'}"
    contents = [_content(each) for each in data[:most]]
    good = tuple(ResultImage(content, content_type) for content in contents if content is not None)
    if contents and not good:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)
    return Result(images=good)


def models_offered(answer: Answer) -> str:
    """For people. Raises ProviderError."""
    if not answer.ok:
        raise refused(answer, asking=True)
    models = answer.table().get("data")
    if not isinstance(models, list):
        raise temporary()
    names = [str(model.get("id", "")) for model in models if isinstance(model, dict)]
    return f"Models for images: {sum('image' in name for name in names)}"


def refused(answer: Answer, *, asking: bool = False) -> ProviderError:
    """The error for an unsuccessful response."""
    error = answer.table().get("error")
    error = error if isinstance(error, dict) else {}
    provider_message = str(error.get("message") or "")
    if answer.status == 403 and "verified" in provider_message:
        message = (
            "OpenAI requires the organization of this API key to be verified before it can use this model. "
            "Whoever manages the key can do that in OpenAI's settings."
        )
        return failure(ErrorKind.AUTH, message=message)
    kind = _KINDS.get(str(error.get("code"))) or _KINDS.get(str(error.get("type")))
    if kind is None and answer.status in (404, 405):  # the model is retired, or not for this account
        kind = ErrorKind.UNAVAILABLE
    if kind is not None:
        return failure(kind, provider_message=provider_message)
    refusal = http.refusal(answer, provider_message=provider_message, asking=asking)
    refusal.retry_after = _retry_after(answer)
    return refusal


def _retry_after(answer: Answer) -> float | None:
    """In seconds. OpenAI may send milliseconds in a header of its own."""
    milliseconds = answer.headers.get("retry-after-ms", "")
    if milliseconds.isdecimal() and len(milliseconds) < 10:
        return int(milliseconds) / 1000
    return answer.retry_after


def _content(item: Any) -> bytes | None:
    try:
        return base64.b64decode(item["b64_json"], validate=True)
    except (KeyError, TypeError, ValueError):
        return None
