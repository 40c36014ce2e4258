"""Interprets Wiro's responses. Pure.

Source: the contract, sections 4 to 7 (responses, tasks, statuses, uploads) and 11 (errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, ProviderError
from editor.providers.failures import LONGEST_QUOTE, failure, temporary
from editor.providers.http import Answer

# Many of Wiro's refusals differ only by these codes; 0 is any other.
_UNKNOWN = "1"  # no such model, or no such task
_KINDS = {
    _UNKNOWN: ErrorKind.UNAVAILABLE,
    "96": ErrorKind.RATE_LIMITED,
    "97": ErrorKind.INSUFFICIENT_FUNDS,
    "98": ErrorKind.AUTH,
    "99": ErrorKind.AUTH,
}
# A new task may not be visible everywhere yet.
KNOWN_WITHIN = 30.0  # seconds

DONE = "task_postprocess_end"
CANCELED = "task_cancel"
_BROKEN = "task_error"  # final if reported by Task/Detail
# There is no status for moderated content; only the model's output shows it.
_MODERATED = ("moderat", "flagged", "nsfw", "content policy", "safety filter", "safety system", "prohibited")


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error reported by Wiro. `code` is text, "" if there is none."""

    code: str
    message: str


def trouble(answer: Answer) -> Trouble | None:
    """The response's error, or None. Most refusals come with HTTP 200."""
    body = answer.table()
    errors = body.get("errors")
    if answer.ok and body.get("result") is not False and not errors:
        return None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return Trouble(code=str(first.get("code", "")), message=str(first.get("message", "")))


def refusal(answer: Answer, trouble: Trouble, *, asking: bool = False) -> ProviderError:
    """The error for a request that Wiro refused. `asking`: it was harmless, see http.refusal."""
    kind = _KINDS.get(trouble.code)
    if answer.status == 404:
        kind = ErrorKind.UNAVAILABLE
    elif kind is None and answer.ok:
        kind = ErrorKind.UNAVAILABLE if asking else ErrorKind.INVALID_INPUT
    if kind is None:
        return http.refusal(answer, provider_message=trouble.message, asking=asking)
    make = temporary if asking and kind in (ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE) else failure
    return make(kind, provider_message=trouble.message, retry_after=answer.retry_after)


def key_works(answer: Answer) -> None:
    """Raise ProviderError unless the key allowed the request for a task that does not exist."""
    problem = trouble(answer)
    if problem is not None and not (answer.ok and problem.code == _UNKNOWN):
        raise refusal(answer, problem, asking=True)
    if not answer.table():
        raise temporary(provider_message="The response is not Wiro's.")


def started(answer: Answer) -> tuple[str, str]:
    """The id and the token of the task that a run created. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None:
        raise refusal(answer, problem)
    body = answer.table()
    task_id, token = str(body.get("taskid") or ""), str(body.get("socketaccesstoken") or "")
    if not task_id or not token:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)
    return task_id, token


def uploaded(answer: Answer) -> str:
    """The URL of the uploaded file. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None:
        raise refusal(answer, problem, asking=True)
    url = _first(answer, "list").get("url")
    if not isinstance(url, str) or not url:
        raise temporary(provider_message="The upload response contains no URL.")
    return url


def task(answer: Answer, *, age: float) -> dict[str, Any]:
    """The requested task, submitted `age` seconds ago. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None and answer.ok and problem.code == _UNKNOWN and age >= KNOWN_WITHIN:
        raise failure(ErrorKind.UNAVAILABLE, message="The provider no longer knows this edit.")
    if problem is not None:
        raise refusal(answer, problem, asking=True)
    found = _first(answer, "tasklist")
    if not found.get("status"):
        raise temporary(provider_message="The response contains no task.")
    return found


def links(task: dict[str, Any]) -> tuple[str, ...] | None:
    """The image URLs of a finished task; None while it runs. Raises ProviderError."""
    status = task["status"]
    if status not in (DONE, CANCELED, _BROKEN):
        return None
    # Check the exit code second: canceled tasks have one that means success. Some responses have none.
    if status != DONE or str(task.get("pexit") or "0") != "0":
        raise _failed(task)
    outputs = task.get("outputs")
    urls = (
        [each.get("url") for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
    )
    found = tuple(url for url in urls if isinstance(url, str) and url)
    if not found:
        raise failure(ErrorKind.UNAVAILABLE, message="The provider returned no image. Try again.")
    return found


def _failed(task: dict[str, Any]) -> ProviderError:
    # The model's complete output: how it ended comes last.
    provider_message = str(task.get("debugerror") or task.get("debugoutput") or "").strip()
    if any(word in provider_message[-LONGEST_QUOTE:].lower() for word in _MODERATED):
        return failure(ErrorKind.MODERATED, provider_message=provider_message, end=True)
    if task["status"] == CANCELED and not provider_message:
        return failure(ErrorKind.UNAVAILABLE, message="The edit was canceled at the provider.")
    return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message, end=True)


def _first(answer: Answer, name: str) -> dict[str, Any]:
    """The first object of the list of that name; empty if there is none."""
    items = answer.table().get(name)
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
