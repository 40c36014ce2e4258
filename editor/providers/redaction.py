"""Keys do not get into what people read, what is logged or what is stored, whoever repeats them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from editor.providers import failures
from editor.providers.base import Account


def keys_hidden(account: Account) -> AbstractContextManager[None]:
    """Within the block, what is told of the provider's words lacks the account's key and its secret."""
    return failures.hiding(account.key, account.secret)
