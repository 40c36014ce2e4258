"""Strangers who open connections and send little, and the effects on a portal."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import httpx

from tests.e2e.portal import Portal
from tests.patience import PATIENCE

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half"


class Crowd:
    """Connections to a portal, opened again when it closes them; each sends only `message`."""

    def __init__(
        self, portal: Portal, *, count: int, message: bytes = b"", source: str = "127.0.0.1"
    ) -> None:
        self.portal = portal
        self.count = count
        self.message = message
        self.source = source
        self.open: list[socket.socket] = []
        self.closed = 0

    def press(self) -> None:
        """Keep `count` connections open, as far as the portal accepts them."""
        for each in list(self.open):
            if is_closed(each):
                each.close()
                self.open.remove(each)
                self.closed += 1
        while len(self.open) < self.count:
            each = connect(self.portal, source=self.source)
            with contextlib.suppress(OSError):
                each.sendall(self.message)
            self.open.append(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for each in self.open:
            each.close()


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Raise the limit of open files of this process, the attacker."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(portal: Portal, *, source: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine: any in 127.0.0.0/8."""
    return socket.create_connection(("127.0.0.1", portal.port), timeout=PATIENCE, source_address=(source, 0))


def is_closed(each: socket.socket) -> bool:
    each.setblocking(False)
    try:
        return each.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def is_healthy(portal: Portal, *, seconds: float = PATIENCE, source: str = "127.0.0.1") -> bool:
    """Whether the portal responds on a new connection."""
    transport = httpx.HTTPTransport(local_address=source)
    try:
        with httpx.Client(transport=transport, timeout=seconds) as client:
            return client.get(f"{portal.url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(happened: Callable[[], bool], portal: Portal, *, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, portal.log.read_text()[-4000:]
        time.sleep(0.05)


def descriptors(portal: Portal) -> int:
    """The number of the portal's open files and connections."""
    assert portal.process is not None
    return len(list(Path("/proc", str(portal.process.pid), "fd").iterdir()))


def megabytes(portal: Portal) -> int:
    """Resident memory of the portal, in MiB."""
    assert portal.process is not None
    status = Path("/proc", str(portal.process.pid), "status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024
