"""Tracks whether a submit may have reached its provider, for errors that do not say so themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from editor.providers.base import ErrorKind, ProviderError

_sent: ContextVar[list[str] | None] = ContextVar("sent", default=None)


@contextlib.contextmanager
def submits() -> Iterator[list[str]]:
    """The URLs to which `submit` has or may have sent something within the block."""
    sent: list[str] = []
    token = _sent.set(sent)
    try:
        yield sent
    finally:
        _sent.reset(token)


@contextlib.contextmanager
def noted(url: str) -> Iterator[None]:
    """Record a submit to `url`, and remove it again if an error says that nothing was sent."""
    sent = _sent.get()
    if sent is None:
        yield
        return
    sent.append(url)
    try:
        yield
    except ProviderError as error:
        if error.kind is not ErrorKind.UNKNOWN_OUTCOME:
            sent.remove(url)
        raise
