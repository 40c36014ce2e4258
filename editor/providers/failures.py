"""The words that people read when a provider refuses or fails, the same for all providers."""

from __future__ import annotations

from editor.providers.base import ErrorKind, ProviderError, Temporary

LONGEST_QUOTE = 300  # characters of what a provider said

_WORDS = {
    ErrorKind.INVALID_INPUT: "The provider did not accept this edit as it is.",
    ErrorKind.MODERATED: "The provider's safety filter refused this edit. Change the prompt or the image.",
    ErrorKind.RATE_LIMITED: "The provider takes no more edits for the moment. Try again in a minute.",
    ErrorKind.INSUFFICIENT_FUNDS: "The account at the provider has no funds left. Its owner can top it up.",
    ErrorKind.AUTH: "The provider did not accept the API key. Its owner has to check it.",
    ErrorKind.UNAVAILABLE: "The provider failed on this edit. Try again, or choose another model.",
    ErrorKind.TIMEOUT: "The provider did not answer in time. Try again.",
    ErrorKind.UNKNOWN_OUTCOME: (
        "The connection broke while the edit was being handed over, so nobody knows whether the "
        "provider took it. It was not sent again."
    ),
}
# What a provider says about keys may hold a part of one.
_QUOTED = {ErrorKind.INVALID_INPUT, ErrorKind.MODERATED, ErrorKind.UNAVAILABLE}


def failure(
    kind: ErrorKind, *, said: str = "", words: str = "", retry_after: float | None = None
) -> ProviderError:
    """The error to raise.

    said         the provider's own words, quoted where they help the person
    words        ours, where they can be more exact than the kind's
    retry_after  seconds, where the provider names them
    """
    return ProviderError(kind, _message(kind, said, words), retry_after=retry_after)


def temporary(
    kind: ErrorKind = ErrorKind.UNAVAILABLE, *, said: str = "", retry_after: float | None = None
) -> Temporary:
    """The same for a question that may be asked again."""
    return Temporary(kind, _message(kind, said, ""), retry_after=retry_after)


def _message(kind: ErrorKind, said: str, words: str) -> str:
    quote = " ".join(said.split())[:LONGEST_QUOTE] if kind in _QUOTED else ""
    message = words or _WORDS[kind]
    return f"{message} It said: “{quote}”" if quote else message
