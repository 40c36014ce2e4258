"""Files that are made while they are sent: each person can download a few at once."""

from __future__ import annotations

import threading
from typing import Protocol
from uuid import UUID
from weakref import WeakSet

from editor.errors import LimitExceeded

AT_ONCE = 2  # per user, in this process
RETRY_SECONDS = 30

_counting = threading.Lock()
_under_way: WeakSet[Streamed] = WeakSet()


class Streamed(Protocol):
    """A file that is made while it is sent. It counts as under way for as long as it is referenced."""

    user_id: UUID


def begin(file: Streamed) -> None:
    """Count the file as under way. Raises LimitExceeded."""
    with _counting:
        if sum(other.user_id == file.user_id for other in _under_way) >= AT_ONCE:
            raise LimitExceeded(
                f"You are already downloading {AT_ONCE} files. Wait until one of them is done.",
                retry_after=RETRY_SECONDS,
            )
        _under_way.add(file)
