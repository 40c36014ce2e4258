"""What every provider adapter looks like: frozen data in, frozen data out.

Adapters know nothing of Django, the database, credits or each other. The engine
(`editor/operations/execution.py`) drives them:

    submit -> the task id is saved at once -> poll until a Result -> images are stored

An adapter tells of trouble only by raising `ProviderError`; its `kind` decides about
retry, refund, the HTTP status and the words that people read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from editor.errors import EditorError


class ErrorKind(StrEnum):
    INVALID_INPUT = "invalid_input"
    MODERATED = "moderated"
    RATE_LIMITED = "rate_limited"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    AUTH = "auth"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    UNKNOWN_OUTCOME = "unknown_outcome"


_STATUS = {
    ErrorKind.INVALID_INPUT: 400,
    ErrorKind.MODERATED: 422,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.TIMEOUT: 504,
}
_RETRYABLE = {ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT}


class ProviderError(EditorError):
    """A provider refused, failed or could not be understood.

    message      for people, in our words
    kind         see ErrorKind
    retry_after  seconds, where the provider names them
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.kind = kind
        self.code = kind.value
        self.status = _STATUS.get(kind, 502)
        self.retryable = kind in _RETRYABLE


@dataclass(frozen=True, slots=True)
class InputImage:
    """An image that goes to the provider. `load` reads its bytes when they are needed."""

    content_type: str
    width: int  # pixels
    height: int  # pixels
    load: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One edit, ready to be sent.

    job_id  the portal's own id of the job, for the logs of both sides
    tenant  an opaque key; local work is shared out fairly between tenants
    model   the catalogue id, e.g. "black-forest-labs/flux-kontext-pro"
    target  the model's name at this provider
    images  sources first, then references, in the order the person gave them
    mask    white = change, black = keep; the size of images[0]
    inputs  the catalogue inputs but for prompt and images, validated and complete
    """

    job_id: str
    tenant: str
    model: str
    target: str
    prompt: str
    images: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The provider took the task. `state` is JSON the adapter needs to poll it later."""

    task_id: str
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Not done yet. `percent` 0..100 where known; look again after `wait` seconds."""

    percent: int | None = None
    wait: float = 1.0


@dataclass(frozen=True, slots=True)
class ResultImage:
    """One image as the provider gave it; it is checked and re-encoded before it is stored."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Result:
    """Done. `seed` where the provider tells it."""

    images: tuple[ResultImage, ...]
    seed: int | None = None


class Provider(Protocol):
    """One folder in `editor/providers/`, one line in `registry.py`."""

    name: str
    label: str
    # True when a repeated submit of the same job costs nothing and does no harm.
    idempotent: bool

    async def submit(self, request: EditRequest) -> Submitted:
        """Hand the edit to the provider, once. Raises ProviderError."""
        ...

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Ask how the task is doing. Safe to repeat, also after a restart. Raises ProviderError."""
        ...

    async def cancel(self, task: Submitted) -> None:
        """Stop the task where the provider can; never raises for a task that is gone."""
        ...
