"""Interprets BFL's responses. Source: the contract's sections 5, 6, 7 and 9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from editor.providers import amounts, http
from editor.providers.base import ErrorKind, Progress, ProviderError
from editor.providers.failures import failure, temporary
from editor.providers.http import Answer

# Just after a submit another region may not know the task yet.
UNKNOWN_AT_FIRST = 30.0  # seconds
_BAD_KEY_FORM = "Invalid API key format"  # with status 422


@dataclass(frozen=True, slots=True)
class Ready:
    """The task is done. `link` is its image's URL, valid for ten minutes; `cost` in US dollars."""

    link: str
    seed: int | None
    cost: Decimal | None = None


def submitted(answer: Answer) -> tuple[str, str]:
    """The task's id, and its polling URL or "". Raises ProviderError."""
    if answer.status in (404, 405):
        raise failure(ErrorKind.UNAVAILABLE, message="The provider does not offer this model.")
    if not answer.ok:
        raise refused(answer)
    body = answer.table()
    task_id = body.get("id")
    if not isinstance(task_id, str) or not task_id:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)  # it may have been accepted and charged
    polling_url = body.get("polling_url")
    return task_id, polling_url if isinstance(polling_url, str) else ""


def polled(answer: Answer, *, age: float) -> Progress | Ready:
    """The task's state. Raises ProviderError if it failed, Temporary if that is unknown.

    age  seconds since the submit
    """
    body = answer.table()
    status = body.get("status")
    # A failed task may come with HTTP 503: the task's status takes precedence.
    if isinstance(status, str) and status != "Task not found":
        return _by_status(status, body)
    if status == "Task not found" or answer.status == 404:
        if age < UNKNOWN_AT_FIRST:
            raise temporary()
        raise failure(ErrorKind.UNAVAILABLE, message="The provider no longer knows this edit.")
    if answer.ok:
        raise temporary()
    raise refused(answer, asking=True)


def credits_left(answer: Answer) -> str:
    """For people. Raises ProviderError."""
    if not answer.ok:
        raise refused(answer, asking=True)
    left = answer.table().get("credits")
    if isinstance(left, bool) or not isinstance(left, int | float):
        raise temporary()
    return f"Credits left: {left:g}"


def refused(answer: Answer, *, asking: bool = False) -> ProviderError:
    """The error for an unsuccessful response that is not about a task's state."""
    detail = answer.table().get("detail")
    if answer.status == 422 and detail == _BAD_KEY_FORM:
        return failure(ErrorKind.AUTH)
    return http.refusal(answer, provider_message=_provider_message(detail), asking=asking)


def _by_status(status: str, body: Mapping[str, Any]) -> Progress | Ready:
    match status:
        case "Ready":
            return _ready(body.get("result"), body.get("cost"))
        case "Request Moderated" | "Content Moderated":
            raise failure(ErrorKind.MODERATED, provider_message=_reasons(body.get("details")))
        case "Error" | "Failed":
            raise failure(ErrorKind.UNAVAILABLE, provider_message=_error(body.get("details")))
    return Progress(percent=_percent(body.get("progress")))


def _ready(result: Any, cost: Any) -> Ready:
    link = result.get("sample") if isinstance(result, dict) else None
    if not isinstance(link, str) or not link:
        raise failure(ErrorKind.UNAVAILABLE, message="The provider returned no image.")
    seed = result.get("seed")
    # BFL counts in credits of a cent.
    dollars = amounts.dollars(cost, per_unit="0.01")
    return Ready(link=link, seed=seed if type(seed) is int else None, cost=dollars)


def _percent(progress: Any) -> int | None:
    """From a fraction of 1."""
    if isinstance(progress, int | float) and 0 <= progress <= 1:
        return int(progress * 100)
    return None


def _reasons(details: Any) -> str:
    reasons = details.get("Moderation Reasons") if isinstance(details, dict) else None
    return ", ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""


def _error(details: Any) -> str:
    if isinstance(details, dict):
        details = details.get("error")
    return details if isinstance(details, str) else ""


def _provider_message(detail: Any) -> str:
    """`detail` is a text, or a list of problems with fields."""
    if isinstance(detail, list):
        return "; ".join(_problem(each) for each in detail if isinstance(each, dict))
    return detail if isinstance(detail, str) else ""


def _problem(problem: Mapping[str, Any]) -> str:
    place = problem.get("loc")
    field = str(place[-1]) if isinstance(place, list) and place else "request"
    return f"{field}: {problem.get('msg', '')}"
