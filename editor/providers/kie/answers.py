"""Interprets kie's responses. Pure.

Source: the contract, sections 1 (envelope and codes), 2 and 4 (tasks) and 6 (uploads).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, Progress, ProviderError
from editor.providers.failures import failure, temporary
from editor.providers.http import Answer

RATE_LIMIT_PAUSE = 10.0  # seconds, unless kie names a pause
# A new task is not visible immediately.
KNOWN_WITHIN = 30.0  # seconds

_KINDS = {
    404: ErrorKind.UNAVAILABLE,
    429: ErrorKind.RATE_LIMITED,
    433: ErrorKind.INSUFFICIENT_FUNDS,  # the limit of a sub-key
    455: ErrorKind.UNAVAILABLE,  # maintenance
    505: ErrorKind.UNAVAILABLE,  # the feature is switched off
}
_GENERATION_FAILED = 501
# No code distinguishes moderated content from other failures.
_MODERATED = ("policy", "sensitive", "safety", "prohibited", "nsfw", "flagged", "moderation")


def effective(answer: Answer) -> Answer:
    """With the status from the body: most refusals come with HTTP 200 and a code of their own."""
    code = answer.table().get("code")
    return dataclasses.replace(answer, status=code) if isinstance(code, int) else answer


def refusal(answer: Answer, *, asking: bool = False) -> ProviderError:
    """The error for an `effective` response that is not ok. `asking`: see http.refusal."""
    if answer.status >= 500 and not answer.table():  # not from kie itself
        return http.refusal(answer, asking=asking)
    provider_message = str(answer.table().get("msg") or "")
    if answer.status in (400, 422, _GENERATION_FAILED) and _is_moderation(provider_message):
        return failure(ErrorKind.MODERATED, provider_message=provider_message)
    if answer.status == _GENERATION_FAILED:
        return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message)
    kind = _KINDS.get(answer.status)
    if kind is None:
        return http.refusal(answer, provider_message=provider_message, asking=asking)
    pause = answer.retry_after
    if kind is ErrorKind.RATE_LIMITED and pause is None:
        pause = RATE_LIMIT_PAUSE
    make = temporary if asking and kind is not ErrorKind.INSUFFICIENT_FUNDS else failure
    return make(kind, provider_message=provider_message, retry_after=pause)


def credits_left(answer: Answer) -> str:
    """For people. Raises ProviderError."""
    answer = effective(answer)
    if not answer.ok:
        raise refusal(answer, asking=True)
    credits = answer.table().get("data")
    if not isinstance(credits, int | float):
        raise temporary(provider_message="The response contains no credits.")
    return f"Credits left: {credits:,.10g}"


def uploaded(answer: Answer) -> str:
    """The URL of the file. Raises ProviderError."""
    answer = effective(answer)
    if not answer.ok:
        raise refusal(answer, asking=True)
    data = _data(answer)
    url = data.get("downloadUrl") or data.get("fileUrl")
    if not isinstance(url, str) or not url:
        raise temporary(provider_message="The upload response contains no URL.")
    return url


def started(answer: Answer) -> str:
    """The id of the task. Raises ProviderError."""
    answer = effective(answer)
    if not answer.ok:
        raise refusal(answer)
    task_id = _data(answer).get("taskId")
    if not isinstance(task_id, str) or not task_id:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)
    return task_id


def record(answer: Answer, *, age: float) -> Mapping[str, Any]:
    """The data of a task that was submitted `age` seconds ago. Raises ProviderError."""
    answer = effective(answer)
    if answer.status in (404, 422):  # the request contains only the id
        if age < KNOWN_WITHIN:
            raise temporary(provider_message="The task is not known yet.")
        raise failure(ErrorKind.UNAVAILABLE, message="The provider no longer knows this edit.")
    if not answer.ok:
        raise refusal(answer, asking=True)
    data = _data(answer)
    if not data:
        raise temporary(provider_message="The response contains no task.")
    return data


def market_links(record: Mapping[str, Any]) -> Progress | tuple[str, ...]:
    """The result URLs of a market model's task, once it is done. Raises ProviderError."""
    state = record.get("state")
    if state == "fail":
        raise _failed(record.get("failMsg"))
    if state != "success":
        percent = record.get("progress")
        return Progress(percent=min(max(percent, 0), 100) if type(percent) is int else None)
    urls = _result(record.get("resultJson")).get("resultUrls")
    return _links(urls if isinstance(urls, list) else [])


def kontext_links(record: Mapping[str, Any]) -> Progress | tuple[str, ...]:
    """The same for a task of the Flux Kontext API."""
    flag = record.get("successFlag")
    if flag in (2, 3):  # it could not be created, or failed later
        raise _failed(record.get("errorMessage"))
    if flag != 1:
        return Progress()
    response = record.get("response")
    return _links([response.get("resultImageUrl")] if isinstance(response, dict) else [])


def _links(urls: list[Any]) -> tuple[str, ...]:
    found = tuple(url for url in urls if isinstance(url, str) and url)
    if not found:
        raise failure(ErrorKind.UNAVAILABLE, message="The provider returned no image. Try again.")
    return found


def _failed(provider_message: Any) -> ProviderError:
    provider_message = str(provider_message or "")
    kind = ErrorKind.MODERATED if _is_moderation(provider_message) else ErrorKind.UNAVAILABLE
    return failure(kind, provider_message=provider_message)


def _is_moderation(provider_message: str) -> bool:
    return any(word in provider_message.lower() for word in _MODERATED)


def _data(answer: Answer) -> dict[str, Any]:
    data = answer.table().get("data")
    return data if isinstance(data, dict) else {}


def _result(text: Any) -> dict[str, Any]:
    """resultJson, which is JSON in a string; empty if it is not valid."""
    try:
        result = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}
