"""How many connections clients may hold, and which are closed when the bound is reached.

Half of the descriptors are for clients; the rest is a reserve for the database, providers and files.
An idle connection has no request in progress, or waits for the rest of a request's body. At the bound,
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

MOST = 8192  # connections in all, however many descriptors there are: each takes memory too
MOST_OF_ONE = 512  # of one client address
SPARE = 16  # beyond the bound, for health checks alone


class Room(Enum):
    """What a new connection may be used for: anything, health checks, or nothing."""

    FREE = auto()
    SPARE = auto()
    NONE = auto()


class Connection(Protocol):
    """A client's, as it is counted here."""

    def is_drained(self) -> bool:
        """Whether no answer is on its way to the client."""

    def drop(self) -> None:
        """Close it at once."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be: in all, and of one client address."""

    total: int
    of_one: int

    @classmethod
    def of(cls, descriptors: int) -> Bounds:
        """Those of a process that may have so many files open."""
        total = min(descriptors // 2, MOST)
        return cls(total=total, of_one=min(total // 4, MOST_OF_ONE))


class Connections:
    """The clients' connections of one event loop."""

    def __init__(self, bounds: Bounds, *, is_proxy: Callable[[str], bool]) -> None:
        """`is_proxy`: whether an address stands for many clients, and so has no bound of its own."""
        self._bounds = bounds
        self._is_proxy = is_proxy
        self._open: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        # In the order in which `idle` was last called; all, and by client.
        self._idle: dict[Connection, None] = {}
        self._idle_of: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, address: str) -> Room:
        """Count a new connection, and close an idle one for it at a bound.

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
        """The same connection goes on in another protocol."""
        client = self._open.get(old)
        self.leave(old)
        if client is not None:
            self._add(new, client)

    def idle(self, connection: Connection) -> None:
        """It waits for its client. Called again when something came, it is the newest idle one."""
        self.busy(connection)
        client = self._open.get(connection)
        if client is not None:
            self._idle[connection] = None
            self._idle_of.setdefault(client, {})[connection] = None

    def busy(self, connection: Connection) -> None:
        """A request of it is in progress, and complete."""
        client = self._open.get(connection)
        if client is None or connection not in self._idle:
            return
        del self._idle[connection]
        del self._idle_of[client][connection]
        if not self._idle_of[client]:
            del self._idle_of[client]

    def leave(self, connection: Connection) -> None:
        """It is closed. Harmless for one that is not counted."""
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
        # Not one that still sends an answer to a slow reader.
        oldest = next((each for each in idle if each.is_drained()), None)
        if oldest is None:
            return False
        self.leave(oldest)
        oldest.drop()
        return True


def raise_limit() -> int:
    """Allow this process as many open files as the system lets it have, and say in the log how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems have a limit below the one that they name
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    log.info("open files: at most %s (%s before)", allowed, soft)
    return allowed if allowed != resource.RLIM_INFINITY else 2 * MOST
