"""Interprets Google's responses. Source: the contract's sections 4, 5 and 7."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, ProviderError, ResultImage
from editor.providers.failures import failure, temporary
from editor.providers.http import Answer

_AGAINST_POLICY = {
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "SAFETY",
    "PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
}
_RECITED = {"RECITATION", "IMAGE_RECITATION"}
_DELAY = re.compile(r"(\d{1,9}(?:\.\d+)?)s")
_NO_IMAGE = "The provider returned no image."


@dataclass(frozen=True, slots=True)
class Made:
    """`id` is Google's id of the response, or ""."""

    id: str
    image: ResultImage


@dataclass(frozen=True, slots=True)
class NotMade:
    """Google did its work, but returned no image. `why` is for people."""

    why: str


def made(answer: Answer) -> Made | NotMade:
    """The image that was made. Raises ProviderError. Slow: do not call it on the event loop."""
    if not answer.ok:
        raise refused(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise failure(ErrorKind.UNKNOWN_OUTCOME)  # it was made and charged
    candidate = next(_tables(body, "candidates"), None)
    if candidate is None:
        return _prompt_refused(_table(body, "promptFeedback"))
    parts = [
        part for part in _tables(_table(candidate, "content"), "parts") if part.get("thought") is not True
    ]
    # Thinking models may return drafts; the last image is the final one.
    blobs = [blob for part in parts if (blob := _table(part, "inlineData"))]
    if not blobs:
        text = " ".join(str(part["text"]) for part in parts if "text" in part)
        return _no_image(candidate, text)
    return Made(id=str(body.get("responseId") or ""), image=_image(blobs[-1]))


def refused(answer: Answer, *, asking: bool = False) -> ProviderError:
    """The error for a response of 400 or more."""
    error = _table(answer.table(), "error")
    status, provider_message = error.get("status"), str(error.get("message") or "")
    details = list(_tables(error, "details"))
    match status:
        case "INVALID_ARGUMENT" if _is_about_key(details, provider_message):  # not 401
            return failure(ErrorKind.AUTH)
        case "FAILED_PRECONDITION" if "billing" in provider_message:
            return failure(ErrorKind.INSUFFICIENT_FUNDS)
        case "FAILED_PRECONDITION":
            return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message)
        case "CANCELLED" if not asking:  # after work that may be paid for
            return failure(ErrorKind.UNKNOWN_OUTCOME)
        case "DEADLINE_EXCEEDED" if not asking:
            return failure(ErrorKind.TIMEOUT)
        case "RESOURCE_EXHAUSTED":
            return _exhausted(details, provider_message, asking=asking)
    if answer.status in (404, 405):  # the model is retired, or not for this account
        return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message)
    return http.refusal(answer, provider_message=provider_message, asking=asking)


def _is_about_key(details: list[dict[str, Any]], provider_message: str) -> bool:
    return provider_message.startswith("API key") or any(
        each.get("reason") == "API_KEY_INVALID" for each in details
    )


def _exhausted(details: list[dict[str, Any]], provider_message: str, *, asking: bool) -> ProviderError:
    """A quota that is used up for the day or does not exist, or merely a rate limit."""
    quotas = [str(violation.get("quotaId")) for each in details for violation in _tables(each, "violations")]
    if "limit: 0" in provider_message or any("PerDay" in quota or "FreeTier" in quota for quota in quotas):
        text = (
            "The account's quota at Google is used up. Whoever manages the portal's or the workspace's "
            "keys can raise it, or you can wait until it renews."
        )
        return failure(ErrorKind.INSUFFICIENT_FUNDS, message=text)
    delays = [_DELAY.fullmatch(str(each["retryDelay"])) for each in details if "retryDelay" in each]
    retry_after = next((float(delay[1]) for delay in delays if delay), None)
    build = temporary if asking else failure
    return build(ErrorKind.RATE_LIMITED, retry_after=retry_after)


def _prompt_refused(feedback: Mapping[str, Any]) -> NotMade:
    """Raises ProviderError if Google gives a reason."""
    reason = str(feedback.get("blockReason") or "")
    if not reason:
        return NotMade(_NO_IMAGE)
    if reason == "OTHER":
        text = "Google could not process this prompt or one of its images."
        raise failure(ErrorKind.INVALID_INPUT, message=text)
    raise failure(ErrorKind.MODERATED, provider_message=reason)


def _no_image(candidate: Mapping[str, Any], text: str) -> NotMade:
    """`text` is what the model wrote instead of an image. Raises ProviderError if it was not allowed."""
    reason = candidate.get("finishReason")
    provider_message = str(candidate.get("finishMessage") or text)
    if reason in _AGAINST_POLICY:
        raise failure(ErrorKind.MODERATED, provider_message=provider_message)
    if reason in _RECITED:
        message = "Google withheld the result: it was too close to an existing work. Reword the prompt."
        raise failure(ErrorKind.MODERATED, message=message, provider_message=provider_message)
    return NotMade(
        failure(ErrorKind.UNAVAILABLE, message=_NO_IMAGE, provider_message=provider_message).message
    )


def _image(blob: Mapping[str, Any]) -> ResultImage:
    try:
        content = base64.b64decode(blob["data"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise failure(ErrorKind.UNKNOWN_OUTCOME) from error
    return ResultImage(content=content, content_type=str(blob.get("mimeType") or ""))


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object of that name, empty by default: Google omits empty ones."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _tables(values: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The objects in the list of that name."""
    value = values.get(name)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
