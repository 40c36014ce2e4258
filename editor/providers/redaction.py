"""Keeps keys out of messages, logs and the database, even if a provider repeats them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from editor.providers import failures
from editor.providers.base import Account


def keys_hidden(account: Account) -> AbstractContextManager[None]:
    """Remove the account's key and secret from quoted provider messages within the block."""
    return failures.hiding(account.key, account.secret)
