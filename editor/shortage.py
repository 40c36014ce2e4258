"""What the machine has none of for the moment: descriptors, memory, disk.

That is a reason to try again later, and says nothing about the work itself.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from editor.errors import EditorError

PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before work is tried again: doubled each time
_NUMBERS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC, errno.EDQUOT}
_NO_THREAD = "can't start new thread"  # Python has no class for it


class Shortage(EditorError):
    """The machine lacked something for this. Nothing was done."""

    code = "overloaded"
    status = 503
    retryable = True


def is_shortage(error: BaseException) -> bool:
    """Whether this error, or one that led to it, tells of nothing but a lack of resources.

    Libraries wrap the system's errors in their own. An EditorError says itself what it is.
    """
    cause: BaseException | None = error
    while cause is not None:
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
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return False


def raise_if_nothing_can_be_opened() -> None:
    """Raise OSError where this process has no descriptor left.

    For calls that tell of that in other words: a name is then said not to exist.
    """
    socket.socket().close()


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try, without end."""
    pause = PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
