"""A temporary lack of resources on this machine: descriptors, memory, disk.

It is a reason to retry later, and says nothing about the work itself.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from editor.errors import EditorError, chain

PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a retry, doubled each time
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NUMBERS = NO_SPACE | {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
_NO_THREAD = "can't start new thread"  # Python has no exception class for it


class Shortage(EditorError):
    """The machine lacks a resource for this. Nothing was done."""

    code = "overloaded"
    status = 503
    retryable = True


def is_shortage(error: BaseException) -> bool:
    """Whether this error, or one of its causes, is only a lack of resources.

    Libraries wrap the system's errors in their own. An EditorError is classified by itself.
    """
    for cause in chain(error):
        if isinstance(cause, Shortage | MemoryError):
            return True
        if isinstance(cause, EditorError):
            return False
        if isinstance(cause, OSError) and cause.errno in _NUMBERS:
            return True
        if isinstance(cause, RuntimeError) and str(cause) == _NO_THREAD:
            return True
        if isinstance(cause, BaseExceptionGroup) and any(map(is_shortage, cause.exceptions)):
            return True
    return False


def raise_if_nothing_can_be_opened() -> None:
    """Raise OSError if this process has no descriptor left.

    For calls that report this as another error: a name lookup then reports that the name does not exist.
    """
    socket.socket().close()


def pauses() -> Iterator[float]:
    """Seconds to wait before each retry, without end."""
    pause = PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
