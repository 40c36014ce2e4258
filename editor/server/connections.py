"""Limits on clients' connections, and which are closed when a limit is reached.

Half of the descriptors are for clients; the rest is a reserve for the database, providers and files.
An idle connection has no request in progress, or waits for the rest of a request's body. At the limit,
a new connection closes the one that has been idle longest.
"""

from __future__ import annotations

import contextlib
import logging
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from editor.gateway import addresses

log = logging.getLogger("editor.connections")

MOST = 8192  # connections in total, however many descriptors there are: each also takes memory
MOST_OF_ONE = 512  # per client address
SPARE = 16  # beyond the limit, only for health checks


class Room(Enum):
    """What a new connection can be used for: anything, health checks, or nothing."""

    FREE = auto()
    SPARE = auto()
    NONE = auto()


class Connection(Protocol):
    """A client's connection, as it is counted here."""

    def is_drained(self) -> bool:
        """Whether no response is being sent to the client."""

    def drop(self) -> None:
        """Close it at once."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits on connections: in total, and per client address."""

    total: int
    of_one: int

    @classmethod
    def of(cls, descriptors: int) -> Bounds:
        """The limits for a process that can open this many files."""
        total = min(descriptors // 2, MOST)
        return cls(total=total, of_one=min(total // 4, MOST_OF_ONE))


class Connections:
    """The clients' connections of one event loop."""

    def __init__(self, bounds: Bounds, *, is_proxy: Callable[[str], bool]) -> None:
        """`is_proxy`: whether an address stands for many clients, and so has no limit of its own."""
        self._bounds = bounds
        self._is_proxy = is_proxy
        self._open: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        # In the order in which `idle` was last called; in total, and by client.
        self._idle: dict[Connection, None] = {}
        self._idle_of: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, address: str) -> Room:
        """Count a new connection, and close an idle one for it at a limit.

        NONE: it is not counted, and the caller closes it.
        """
        client = addresses.counted(address)
        if (
            not self._is_proxy(address)
            and self._counts[client] >= self._bounds.of_one
            and not self._make_room(self._idle_of.get(client, {}))
        ):
            return Room.NONE
        if len(self._open) >= self._bounds.total:
            self._make_room(self._idle)
        if len(self._open) >= self._bounds.total + SPARE:
            return Room.NONE
        room = Room.FREE if len(self._open) < self._bounds.total else Room.SPARE
        self._add(connection, client)
        return room

    def replace(self, old: Connection, new: Connection) -> None:
        """Continue the same connection in another protocol."""
        client = self._open.get(old)
        self.leave(old)
        if client is not None:
            self._add(new, client)

    def idle(self, connection: Connection) -> None:
        """Mark a connection that waits for its client, as the newest idle one even if it was idle."""
        self.busy(connection)
        client = self._open.get(connection)
        if client is not None:
            self._idle[connection] = None
            self._idle_of.setdefault(client, {})[connection] = None

    def busy(self, connection: Connection) -> None:
        """Mark a connection whose complete request is in progress."""
        client = self._open.get(connection)
        if client is None or connection not in self._idle:
            return
        del self._idle[connection]
        del self._idle_of[client][connection]
        if not self._idle_of[client]:
            del self._idle_of[client]

    def leave(self, connection: Connection) -> None:
        """Remove a closed connection. Does nothing for one that is not counted."""
        self.busy(connection)
        client = self._open.pop(connection, None)
        if client is not None:
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]

    def _add(self, connection: Connection, client: str) -> None:
        self._open[connection] = client
        self._counts[client] += 1

    def _make_room(self, idle: dict[Connection, None]) -> bool:
        # Not one that still sends a response to a slow reader.
        oldest = next((each for each in idle if each.is_drained()), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.drop()
        return True


def raise_limit() -> int:
    """Raise this process's limit of open files to the maximum, log it and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems have a lower limit than they report
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    log.info("open files: at most %s (%s before)", allowed, soft)
    return allowed if allowed != resource.RLIM_INFINITY else 2 * MOST
