"""The faults of all providers, and how an edit ends that hits one: data for test_provider_faults.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from tests.emulators.faults import RETRY_AFTER, Fault, Step
from tests.emulators.registry import EMULATORS

ALL = tuple(EMULATORS)
IMMEDIATE = ("openai", "google")  # one long request, whose response holds the image
POLLED = tuple(name for name in ALL if name not in IMMEDIATE)
UPLOADING = ("wiro", "kie")  # images are uploaded there before the edit is submitted


class Ending(NamedTuple):
    """Status (of a failed edit, its error code), and how many submits and tasks the provider counted."""

    status: str
    submits: int = 1
    tasks: int = 1
    message: str = ""  # part of the error that users see


def refused(code: str, message: str, *, submits: int = 1) -> Ending:
    return Ending(code, submits, tasks=0, message=message)


def failed(code: str, message: str) -> Ending:
    return Ending(code, message=message)


COMPLETED, AFTER_ONE_MORE = Ending("completed"), Ending("completed", submits=2)
NO_KEY = refused("auth", "did not accept the API key")
NO_FUNDS = refused("insufficient_funds", "no funds left")
BUSY = refused("rate_limited", "is busy", submits=4)
NEVER_TOOK_IT = refused("unavailable", "The provider failed to process this edit. Try again", submits=3)
UNKNOWN = failed("unknown_outcome", "it is unknown whether the provider accepted it. It was not sent again")
TOO_LATE = failed("timeout", "did not finish within 1 second")
MODERATED = failed("moderated", "safety filter refused this edit. Change the prompt or the image")
NO_IMAGE = failed("unavailable", "returned no image")
NO_LINK = failed("unavailable", "could not be downloaded. Its link has expired or is broken")
NO_PICTURE = failed("unavailable", "The provider's result could not be used")
TOO_LARGE = failed("unavailable", "could not be downloaded. It is larger than 128 MB.")
TOO_LARGE_AT_ONCE = failed("unknown_outcome", "could not be downloaded. It is larger than 4 MB.")


@dataclass(frozen=True)
class Row:
    """A fault and its outcome.

    times       how many requests of the step fail with it; None: every one
    end, but    how the edit ends, and the exceptions by provider
    at          the providers that can have this fault
    asked       the number of requests of the step, unless `end` implies it
    pause       minimum seconds before the step is retried
    time_limit  of the edit, in seconds
    patience    timeout of a request, in seconds
    picture     edit an image instead of sending a prompt alone
    """

    fault: Fault
    step: Step
    times: int | None
    end: Ending
    but: Mapping[str, Ending] = field(default_factory=lambda: MappingProxyType({}))
    at: tuple[str, ...] = ALL
    requested: int | None = None
    pause: float = 0
    time_limit: int | None = None
    patience: float | None = None
    picture: bool = False

    def __str__(self) -> str:
        times = "each" if self.times is None else self.times
        return f"{self.fault}-at-{times}-{self.step}"


F, SUBMIT, POLL, DOWNLOAD, UPLOAD = Fault, Step.SUBMIT, Step.POLL, Step.DOWNLOAD, Step.UPLOAD
EACH = None
QUOTA = refused("insufficient_funds", "quota at Google is used up")
PROMPT_REFUSED = MODERATED._replace(tasks=0)

ROWS = [
    # The submit is refused: no task was created, so it may be retried where that can help.
    Row(F.WRONG_KEY, SUBMIT, EACH, NO_KEY),
    Row(F.OUT_OF_FUNDS, SUBMIT, EACH, NO_FUNDS, but={"google": QUOTA}),
    Row(F.RATE_LIMITED, SUBMIT, 1, AFTER_ONE_MORE),
    Row(F.RATE_LIMITED, SUBMIT, EACH, BUSY),
    Row(F.RATE_LIMITED_RETRY_AFTER, SUBMIT, 1, AFTER_ONE_MORE, pause=RETRY_AFTER),
    Row(F.SERVER_ERROR, SUBMIT, 1, AFTER_ONE_MORE),
    Row(F.SERVER_ERROR, SUBMIT, EACH, NEVER_TOOK_IT),
    # Sent by a proxy: the provider behind it may have created a task all the same.
    Row(F.BAD_GATEWAY, SUBMIT, 1, UNKNOWN._replace(tasks=0)),
    # The response to the submit is lost: a task was created, so it is never retried.
    Row(F.CUT, SUBMIT, 1, UNKNOWN),
    Row(F.MALFORMED_JSON, SUBMIT, 1, UNKNOWN),
    Row(F.HANG, SUBMIT, 1, UNKNOWN, patience=1.5),
    # An upload failed: nothing was submitted yet.
    Row(F.CUT, UPLOAD, 1, COMPLETED, at=UPLOADING, requested=2, picture=True),
    Row(
        F.BAD_GATEWAY,
        UPLOAD,
        EACH,
        NEVER_TOOK_IT._replace(submits=0),
        at=UPLOADING,
        requested=3,
        picture=True,
    ),
    # A poll failed: it is repeated until the time limit of the edit.
    Row(F.SERVER_ERROR, POLL, 1, COMPLETED, at=POLLED),
    Row(F.BAD_GATEWAY, POLL, 1, COMPLETED, at=POLLED),
    Row(F.CUT, POLL, 1, COMPLETED, at=POLLED),
    Row(F.MALFORMED_JSON, POLL, 1, COMPLETED, at=POLLED),
    Row(F.MALFORMED_JSON, POLL, EACH, TOO_LATE, at=POLLED, time_limit=1),
    Row(F.HANG, POLL, 1, COMPLETED, at=POLLED, patience=1.5),
    Row(F.RATE_LIMITED, POLL, 1, COMPLETED, at=POLLED),
    Row(F.RATE_LIMITED_RETRY_AFTER, POLL, 1, COMPLETED, at=POLLED, pause=RETRY_AFTER),
    Row(F.NOT_FOUND_YET, POLL, 1, COMPLETED, at=POLLED),
    Row(F.UNKNOWN_STATUS, POLL, 1, COMPLETED, at=POLLED),
    Row(F.WRONG_KEY, POLL, 1, NO_KEY._replace(tasks=1), at=POLLED),
    # The task itself.
    Row(F.NEVER_FINISHES, SUBMIT, 1, TOO_LATE, at=POLLED, time_limit=1),
    Row(F.UNKNOWN_STATUS, SUBMIT, 1, TOO_LATE, at=POLLED, time_limit=1),
    Row(F.UNKNOWN_STATUS, SUBMIT, 1, NO_IMAGE, at=("google",)),
    Row(F.PROMPT_MODERATED, SUBMIT, 1, MODERATED, but=dict.fromkeys(IMMEDIATE, PROMPT_REFUSED)),
    Row(F.RESULT_MODERATED, SUBMIT, 1, MODERATED),
    Row(F.EMPTY_RESULT, SUBMIT, 1, NO_IMAGE),
    # The download of the result, or the image inside the response.
    Row(F.CUT, DOWNLOAD, 1, COMPLETED, at=POLLED, requested=2),
    Row(F.CUT, DOWNLOAD, EACH, TOO_LATE, at=POLLED, time_limit=1),
    Row(F.BAD_GATEWAY, DOWNLOAD, 1, COMPLETED, at=POLLED, requested=2),
    Row(F.LINK_NOT_FOUND, DOWNLOAD, EACH, NO_LINK, at=POLLED, requested=1),
    Row(F.LINK_EXPIRED, DOWNLOAD, EACH, NO_LINK, at=POLLED, requested=1),
    Row(F.NOT_AN_IMAGE, SUBMIT, 1, NO_PICTURE),
    Row(F.HUGE, SUBMIT, 1, TOO_LARGE, but=dict.fromkeys(IMMEDIATE, TOO_LARGE_AT_ONCE)),
    Row(F.HUGE_UNANNOUNCED, SUBMIT, 1, TOO_LARGE, but=dict.fromkeys(IMMEDIATE, TOO_LARGE_AT_ONCE)),
]
