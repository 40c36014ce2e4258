"""What every provider adapter looks like: frozen data in, frozen data out.

Adapters know nothing of Django, the database, credits or each other. The engine
(`editor/engine/execution.py`) drives them:

    submit -> the task id is saved at once -> poll until a Result -> images are stored

An adapter tells of trouble only by raising `ProviderError`; its `kind` decides about
retry, refund, the HTTP status and the words that people read:

    from `submit`   the provider did not take the task, but for UNKNOWN_OUTCOME
    from `poll`     the task has failed, but for `Temporary`: then nothing is known but that
                    the question got no answer, and it is asked again
    from both       `NotAsked`, when the portal's own machine lacked what it takes: it is asked later
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from editor.errors import EditorError
from editor.shortage import Shortage

# A request that is the whole work holds its images in memory while it lasts, which may be minutes.
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

    message      for people, in our words
    kind         see ErrorKind
    retry_after  seconds, where the provider names them
    quote        what the message quotes of the provider's own words; may be empty
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
    """A harmless question (a poll, an upload, a download) got no usable answer; ask again later."""


class NotSent(Temporary, Shortage):
    """The portal's own machine lacked what it takes to ask: nothing was sent. Ask again later."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a provider is reached, and who asks.

    base_url  scheme and host, without a version path and without a slash at the end
    key       the API key; `secret` is Wiro's second half, empty for a key without signature
    """

    base_url: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


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
    samples how many images are asked for; whatever more a provider makes is left to it
    account       whose key pays
    callback_url  where the provider may tell that it is done, unguessable; None when it cannot reach us
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


@dataclass(frozen=True, slots=True)
class Progress:
    """Not done yet. `percent` 0..100 where known.

    wait  look again after this many seconds; None leaves it to `poll_schedule.py`
    """

    percent: int | None = None
    wait: float | None = None


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


@dataclass(frozen=True, slots=True)
class Submitted:
    """The provider took the task.

    task_id  the provider's name for it
    state    JSON that the adapter needs to poll it later; no secrets, it is stored as it is
    result   already here, from a provider that answers at once
    """

    task_id: str
    state: Mapping[str, Any] = field(default_factory=dict)
    result: Result | None = None


class Provider(ABC):
    """One folder in `editor/providers/`, one line in `registry.py`. One object serves all jobs.

    name           as in routes and in the names of settings, lower case
    label          for people
    public_url     the base URL of the provider's own service; empty when it needs none
    needs_key      False: works without an account
    idempotent     a repeated submit of the same job costs nothing and does no harm
    immediate      `submit` itself makes the image and returns the result; nothing can be polled
    shortest_wait  seconds between two polls of one task, at least; 0: a poll itself waits for news
    """

    name: str
    label: str
    public_url: str = ""
    needs_key: bool = True
    idempotent: bool = False
    immediate: bool = False
    shortest_wait: float = 0.5

    @abstractmethod
    async def submit(self, request: EditRequest) -> Submitted:
        """Hand the edit to the provider, once. Raises ProviderError."""

    @abstractmethod
    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Ask how the task is doing. Safe to repeat, also after a restart. Raises ProviderError.

        The poll that finds the task done also downloads the result. `Temporary` when there was
        no usable answer.
        """

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        """Stop the task where the provider can; never raises for a task that is gone."""
        return

    async def check(self, account: Account) -> str:
        """Try the key by the provider's cheapest authenticated call.

        What it told, for people ("Credits left: 100"), or "". Raises ProviderError.
        """
        raise NotImplementedError

    async def watch(self, request: EditRequest, task: Submitted) -> bool:
        """Wait until the provider itself tells that the task has ended: True, a hint to poll now.

        False, at once or later, where there is no such channel or it broke. Cancelled when it is
        no longer needed.
        """
        return False

    async def is_genuine(self, *, account: Account, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a callback may be this provider's own; False when its signature is wrong.

        Where nothing is signed, the unguessable address is all there is to go by. A callback is no
        more than a hint in any case, so one that cannot be checked now may be.

        account  at whose server the provider's public keys lie
        body     as it came, byte for byte
        headers  names in lower case
        """
        return True

    def limits(self, target: str) -> Mapping[str, int]:
        """How many tasks of one key may be active at once, by name of the limit."""
        return {"requests": IMMEDIATE_AT_ONCE} if self.immediate else {}
