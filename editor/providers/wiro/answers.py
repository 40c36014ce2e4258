"""What Wiro's answers mean in the portal's terms. Pure.

Source: the contract, sections 4 to 7 (answers, tasks, statuses, uploads) and 11 (errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, ProviderError
from editor.providers.failures import LONGEST_QUOTE, failure, temporary
from editor.providers.http import Answer

# Wiro keeps many of its refusals apart by these codes alone; 0 is any other.
_UNKNOWN = "1"  # no such model, or no such task
_KINDS = {
    _UNKNOWN: ErrorKind.UNAVAILABLE,
    "96": ErrorKind.RATE_LIMITED,
    "97": ErrorKind.INSUFFICIENT_FUNDS,
    "98": ErrorKind.AUTH,
    "99": ErrorKind.AUTH,
}
# A task that was just taken may not be known everywhere yet.
KNOWN_WITHIN = 30.0  # seconds

DONE = "task_postprocess_end"
CANCELED = "task_cancel"
_BROKEN = "task_error"  # final where Task/Detail tells it
# There is no status for a refusal of the content; the model's own words tell it.
_MODERATED = ("moderat", "flagged", "nsfw", "content policy", "safety filter", "safety system", "prohibited")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What Wiro says is wrong. `code` is text, "" where it gives none."""

    code: str
    message: str


def trouble(answer: Answer) -> Trouble | None:
    """None where nothing is wrong. Most refusals come with HTTP 200."""
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
    """Whether the question for a task that does not exist was let in. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None and not (answer.ok and problem.code == _UNKNOWN):
        raise refusal(answer, problem, asking=True)
    if not answer.table():
        raise temporary(provider_message="The response is not Wiro's.")


def started(answer: Answer) -> tuple[str, str]:
    """The id and the token of the task that a run made. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None:
        raise refusal(answer, problem)
    body = answer.table()
    task_id, token = str(body.get("taskid") or ""), str(body.get("socketaccesstoken") or "")
    if not task_id or not token:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)
    return task_id, token


def uploaded(answer: Answer) -> str:
    """The URL of the file that was uploaded. Raises ProviderError."""
    problem = trouble(answer)
    if problem is not None:
        raise refusal(answer, problem, asking=True)
    url = _first(answer, "list").get("url")
    if not isinstance(url, str) or not url:
        raise temporary(provider_message="The upload response contains no URL.")
    return url


def task(answer: Answer, *, age: float) -> dict[str, Any]:
    """The task that was asked for, submitted `age` seconds ago. Raises ProviderError."""
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
    """Where the images of a task that is done are; None while it runs. Raises ProviderError."""
    status = task["status"]
    if status not in (DONE, CANCELED, _BROKEN):
        return None
    # The exit code comes second: canceled tasks have one that tells of success. Some answers have none.
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
    # The whole of what the model printed: how it ended stands last.
    provider_message = str(task.get("debugerror") or task.get("debugoutput") or "").strip()
    if any(word in provider_message[-LONGEST_QUOTE:].lower() for word in _MODERATED):
        return failure(ErrorKind.MODERATED, provider_message=provider_message, end=True)
    if task["status"] == CANCELED and not provider_message:
        return failure(ErrorKind.UNAVAILABLE, message="The edit was canceled at the provider.")
    return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message, end=True)


def _first(answer: Answer, name: str) -> dict[str, Any]:
    """The first object of the list of that name; empty where there is none."""
    items = answer.table().get(name)
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
