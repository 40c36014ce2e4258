"""Interprets fal's responses. Source: the contract's sections 2 to 6 and 8."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from editor.providers import http
from editor.providers.base import ErrorKind, Progress, ProviderError
from editor.providers.failures import failure, temporary
from editor.providers.http import Answer

UNKNOWN_AT_FIRST = 30.0  # seconds after the submit
NO_IMAGE = "The provider returned no image."

# Types of model errors that are not about the input (section 6a).
_MODERATED = {"content_policy_violation"}
_FAILED = {
    "no_media_generated",
    "internal_server_error",
    "generation_timeout",
    "downstream_service_error",
    "downstream_service_unavailable",
}
_STEP = re.compile(r"\b(\d{1,4})/(\d{1,4})\b")  # "step 3/28", or a progress bar's "3/28 [00:02<..."


@dataclass(frozen=True, slots=True)
class Completed:
    """The work has ended, successfully or not: the result says which."""


@dataclass(frozen=True, slots=True)
class Output:
    links: tuple[str, ...]
    seed: int | None


def submitted(answer: Answer) -> dict[str, str]:
    """The request's id and its URLs, by fal's names for them. Raises ProviderError."""
    if answer.status in (404, 405):
        raise failure(ErrorKind.UNAVAILABLE, message="The provider does not offer this model.")
    if not answer.ok:
        raise refused(answer)
    values = _texts(answer.table(), "request_id", "status_url", "response_url", "cancel_url")
    if values is None:
        raise failure(ErrorKind.UNKNOWN_OUTCOME)  # it may have been accepted and charged
    return values


def upload(answer: Answer) -> tuple[str, str]:
    """The URL to PUT a file to, and the link it will have. Raises ProviderError."""
    if not answer.ok:
        raise refused(answer, asking=True)
    values = _texts(answer.table(), "upload_url", "file_url")
    if values is None:
        raise failure(ErrorKind.UNAVAILABLE, message="The provider did not say where to upload the images.")
    return values["upload_url"], values["file_url"]


def status(answer: Answer, *, age: float) -> Progress | Completed:
    """The request's state. Raises ProviderError if it failed, Temporary if that is unknown.

    age  seconds since the submit
    """
    if not answer.ok:
        raise _refused_poll(answer, age=age)
    body = answer.table()
    word = body.get("status")
    if not isinstance(word, str):
        raise temporary()
    if word != "COMPLETED":
        return Progress(percent=_percent(body.get("logs")))
    if body.get("error_type") or body.get("error"):
        raise _platform_error(body.get("error_type"), body.get("error"))
    return Completed()


def result(answer: Answer, *, age: float) -> Progress | Output:
    """The outcome of a completed request. Raises as `status` does."""
    if answer.ok:
        if answer.json() is None:
            raise temporary()
        return _output(answer.table())
    body = answer.table()
    detail, error_type = body.get("detail"), body.get("error_type")
    if isinstance(detail, list):
        raise _model_error(answer.status, detail)
    if answer.status == 400 and not error_type:  # "still in progress": the status was too early
        return Progress()
    # An internal error may be about the response itself; all others are about the request.
    if isinstance(error_type, str) and error_type != "internal_error":
        raise _platform_error(error_type, detail)
    raise _refused_poll(answer, age=age)


def refused(answer: Answer, *, asking: bool = False) -> ProviderError:
    """The error for an unsuccessful response that is not about a request's outcome."""
    detail = answer.table().get("detail")
    if isinstance(detail, list) and (asking or answer.status < 500):
        return _model_error(answer.status, detail)
    provider_message = detail if isinstance(detail, str) else ""
    if answer.status == 403 and "balance" in provider_message.lower():
        return failure(ErrorKind.INSUFFICIENT_FUNDS)
    return http.refusal(answer, provider_message=provider_message, asking=asking)


def _refused_poll(answer: Answer, *, age: float) -> ProviderError:
    if answer.status == 404:
        if age < UNKNOWN_AT_FIRST:
            return temporary()
        return failure(ErrorKind.UNAVAILABLE, message="The provider no longer knows this edit.")
    return refused(answer, asking=True)


def _texts(body: Mapping[str, Any], *names: str) -> dict[str, str] | None:
    """These values of the body, or None unless all of them are texts."""
    found = {name: value for name in names if isinstance(value := body.get(name), str) and value}
    return found if len(found) == len(names) else None


def _output(body: Mapping[str, Any]) -> Output:
    images = body.get("images")
    links = (
        [image.get("url") for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    )
    flags = body.get("has_nsfw_concepts")
    if isinstance(flags, list) and len(flags) == len(links):
        # Flagged images are black.
        links = [link for link, flagged in zip(links, flags, strict=True) if not flagged]
        if flags and not links:
            raise failure(ErrorKind.MODERATED)
    usable = tuple(link for link in links if isinstance(link, str) and link)
    if not usable:
        raise failure(ErrorKind.UNAVAILABLE, message=NO_IMAGE)
    seed = body.get("seed")
    return Output(links=usable, seed=seed if type(seed) is int else None)


def _percent(logs: Any) -> int | None:
    """Taken from the newest log line with a step count."""
    for line in reversed(logs if isinstance(logs, list) else []):
        message = line.get("message") if isinstance(line, dict) else None
        for done, steps in _STEP.findall(message if isinstance(message, str) else ""):
            if int(steps) > 0:
                return min(100, int(done) * 100 // int(steps))
    return None


def _model_error(http_status: int, problems: list[Any]) -> ProviderError:
    found = [problem for problem in problems if isinstance(problem, dict)]
    kinds = {str(problem.get("type")) for problem in found}
    provider_message = "; ".join(_problem(problem) for problem in found)
    if kinds & _MODERATED:
        return failure(ErrorKind.MODERATED, provider_message=provider_message)
    if http_status >= 500 or kinds & _FAILED:
        return failure(ErrorKind.UNAVAILABLE, provider_message=provider_message)
    return failure(ErrorKind.INVALID_INPUT, provider_message=provider_message)


def _problem(problem: Mapping[str, Any]) -> str:
    place = problem.get("loc")
    field = str(place[-1]) if isinstance(place, list) and place else "request"
    return f"{field}: {problem.get('msg', '')}"


def _platform_error(error_type: Any, provider_message: Any) -> ProviderError:
    kind = ErrorKind.INVALID_INPUT if error_type == "bad_request" else ErrorKind.UNAVAILABLE
    return failure(kind, provider_message=provider_message if isinstance(provider_message, str) else "")
