"""The interface of provider adapters: frozen data in, frozen data out.

Adapters know nothing of Django, the database, credits or each other. The engine
(`editor/engine/execution.py`) drives them:

    submit -> the task id is saved at once -> poll until a Result -> images are stored

An adapter reports errors only by raising `ProviderError`; its `kind` decides about
retry, refund, the HTTP status and the message that people read:

    from `submit`   the provider did not accept the task, except for UNKNOWN_OUTCOME
    from `poll`     the task has failed, except for `Temporary`: then the poll got no usable
                    response and is retried
    from both       `NotSent`, if the portal's own machine ran short of resources: retried later
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from editor.errors import EditorError
from editor.shortage import Shortage

# An immediate provider's request holds its images in memory while it lasts, which may be minutes.
IMMEDIATE_AT_ONCE = 64


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

    message      for people, written by the portal
    kind         see ErrorKind
    retry_after  seconds, if the provider names them
    quote        the part of the provider's own message that `message` quotes; may be empty
    """

    def __init__(
        self, kind: ErrorKind, message: str, *, retry_after: float | None = None, quote: str = ""
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.kind = kind
        self.quote = quote
        self.code = kind.value
        self.status = _STATUS.get(kind, 502)
        self.retryable = kind in _RETRYABLE


class Temporary(ProviderError):
    """A harmless request (a poll, an upload, a download) got no usable response; retry later."""


class NotSent(Temporary, Shortage):
    """The portal's own machine ran short of resources: nothing was sent. Retry later."""


@dataclass(frozen=True, slots=True)
class Account:
    """A provider's address and credentials.

    base_url  scheme and host, without a version path and without a trailing slash
    key       the API key; `secret` is Wiro's second half, empty for a key without signature
    """

    base_url: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class InputImage:
    """An image for the provider. `load` reads its bytes on demand."""

    content_type: str
    width: int  # pixels
    height: int  # pixels
    load: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One edit, ready to be sent.

    job_id  the portal's own id of the job, for the logs of both sides
    tenant  an opaque key; local work is shared fairly between tenants
    model   the catalogue id, e.g. "black-forest-labs/flux-kontext-pro"
    target  the model's name at this provider
    images  sources first, then references, in the person's order
    mask    white = change, black = keep; the size of images[0]
    inputs  the catalogue inputs except prompt and images, validated and complete
    samples how many images are requested; any more that a provider makes are ignored
    written       what the person wrote of the prompt, without that of presets; None: all of it
    account       whose key pays
    callback_url  for the provider's callback when it is done, unguessable; None if it cannot reach us
    """

    job_id: str
    tenant: str
    model: str
    target: str
    prompt: str
    images: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 1
    account: Account = Account()
    callback_url: str | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Not done yet. `percent` is 0..100 if known.

    wait  seconds until the next poll; None leaves it to `poll_schedule.py`
    """

    percent: int | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class ResultImage:
    """One image as returned by the provider; it is checked before it is stored."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Result:
    """Done.

    seed  if the provider reports it
    cost  US dollars that it took from the account, if it reports that
    """

    images: tuple[ResultImage, ...]
    seed: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The provider accepted the task.

    task_id  the provider's id for it
    state    JSON that the adapter needs to poll it later; no secrets, it is stored unencrypted
    result   from a provider that returns it at once
    """

    task_id: str
    state: Mapping[str, Any] = field(default_factory=dict)
    result: Result | None = None


class Provider(ABC):
    """One folder in `editor/providers/`, one line in `registry.py`. One object serves all jobs.

    name           as in routes and in the names of settings, lower case
    label          for people
    public_url     the base URL of the provider's own service; empty if it needs none
    keys_url       the page where people get a key; may be empty
    needs_key      False: works without an account
    idempotent     a repeated submit of the same job is free and harmless
    immediate      `submit` itself makes the image and returns the result; nothing can be polled
    shortest_wait  minimum seconds between two polls of one task; 0: a poll itself waits for news
    """

    name: str
    label: str
    public_url: str = ""
    keys_url: str = ""
    needs_key: bool = True
    idempotent: bool = False
    immediate: bool = False
    shortest_wait: float = 0.5

    @abstractmethod
    async def submit(self, request: EditRequest) -> Submitted:
        """Send the edit to the provider, once. Raises ProviderError."""

    @abstractmethod
    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Get the task's state. Safe to repeat, also after a restart. Raises ProviderError.

        The poll that finds the task done also downloads the result. Raises `Temporary` if there was
        no usable response.
        """

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        """Stop the task if the provider can; never raises for a task that is gone."""
        return

    async def check(self, account: Account) -> str:
        """Test the key with the provider's cheapest authenticated call.

        Returns its information for people ("Credits left: 100"), or "". Raises ProviderError.
        """
        raise NotImplementedError

    async def watch(self, request: EditRequest, task: Submitted) -> bool:
        """Wait until the provider itself reports the task's end: True, a wake-up to poll now.

        False, at once or later, if there is no such connection or it broke. Cancelled when it is
        no longer needed.
        """
        return False

    async def is_genuine(self, *, account: Account, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a callback may be this provider's own; False if its signature is wrong.

        Without signatures, the unguessable URL is the only protection. A callback only wakes the
        poll in any case, so one that cannot be checked now is accepted.

        account  has the address of the provider's public keys
        body     as received, byte for byte
        headers  names in lower case
        """
        return True

    def limits(self, target: str) -> Mapping[str, int]:
        """How many tasks of one key may be active at once, by name of the limit."""
        return {"requests": IMMEDIATE_AT_ONCE} if self.immediate else {}
