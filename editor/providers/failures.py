"""The messages for people when a provider refuses or fails, the same for all providers."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar

from editor.providers.base import ErrorKind, NotSent, ProviderError, Temporary

LONGEST_QUOTE = 300  # characters of a provider's message

_MESSAGES = {
    ErrorKind.INVALID_INPUT: "The provider did not accept this edit.",
    ErrorKind.MODERATED: "The provider's safety filter refused this edit. Change the prompt or the image.",
    ErrorKind.RATE_LIMITED: "The provider is busy. Try again in a minute.",
    ErrorKind.INSUFFICIENT_FUNDS: (
        "The provider account has no funds left. "
        "Whoever manages the portal's or the workspace's keys can top it up."
    ),
    ErrorKind.AUTH: (
        "The provider did not accept the API key. "
        "Whoever manages the portal's or the workspace's keys must check it."
    ),
    ErrorKind.UNAVAILABLE: "The provider failed to process this edit. Try again, or choose another model.",
    ErrorKind.TIMEOUT: "The provider did not respond in time. Try again.",
    ErrorKind.UNKNOWN_OUTCOME: (
        "The provider gave no usable response when this edit was sent, so it is unknown whether the "
        "provider accepted it. It was not sent again."
    ),
}
_NOT_SENT = "The portal is short of resources. It will try again automatically."
_ANSWER_LOST = (
    "The portal stopped before it had stored the provider's response. The response cannot be fetched "
    "again, and the edit was not sent again."
)
# Providers' messages about keys may contain part of one.
_QUOTED = {ErrorKind.INVALID_INPUT, ErrorKind.MODERATED, ErrorKind.UNAVAILABLE}
# PostgreSQL accepts no NUL, UTF-8 no half of a surrogate pair; JSON can contain both.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

_secrets: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


@contextlib.contextmanager
def hiding(*secrets: str) -> Iterator[None]:
    """Remove these secrets from all messages within the block."""
    token = _secrets.set(tuple(filter(None, secrets)))
    try:
        yield
    finally:
        _secrets.reset(token)


def failure(
    kind: ErrorKind,
    *,
    provider_message: str = "",
    message: str = "",
    retry_after: float | None = None,
    end: bool = False,
) -> ProviderError:
    """The error to raise.

    provider_message  the provider's own message, complete; quoted if it helps the person
    message           ours, if it can be more precise than the kind's
    retry_after       seconds, if the provider names them
    end               quote the end of a `provider_message` that is too long, not its beginning
    """
    quote = _quote(kind, provider_message, end=end)
    return ProviderError(kind, _message(kind, message, quote), retry_after=retry_after, quote=quote)


def temporary(
    kind: ErrorKind = ErrorKind.UNAVAILABLE, *, provider_message: str = "", retry_after: float | None = None
) -> Temporary:
    """The same for a request that may be retried."""
    quote = _quote(kind, provider_message)
    return Temporary(kind, _message(kind, "", quote), retry_after=retry_after, quote=quote)


def not_sent() -> NotSent:
    """Nothing was sent, because the portal's own machine lacked a descriptor, memory or disk."""
    return NotSent(ErrorKind.UNAVAILABLE, _NOT_SENT)


def answer_lost() -> ProviderError:
    """The error for polling an immediate provider: its only response was not stored."""
    return failure(ErrorKind.UNKNOWN_OUTCOME, message=_ANSWER_LOST)


def quoted(message: str, quote: str) -> str:
    """`message`, followed by the quote of the provider's message."""
    return f"{message} It said: “{quote}”" if quote else message


def _message(kind: ErrorKind, message: str, quote: str) -> str:
    return _hidden(_storable(quoted(message or _MESSAGES[kind], quote)))


def _quote(kind: ErrorKind, provider_message: str, *, end: bool = False) -> str:
    if kind not in _QUOTED:
        return ""
    # Hide secrets first: one that was cut in two would not be found.
    text = " ".join(_hidden(_storable(provider_message)).split())
    return text[-LONGEST_QUOTE:] if end else text[:LONGEST_QUOTE]


def _hidden(text: str) -> str:
    for secret in _secrets.get():
        text = text.replace(secret, "…")
    return text


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("", text)
