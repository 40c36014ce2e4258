"""Resources that a portal's process holds, and raw connections for tests."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.e2e.studio import picture
from tests.patience import PATIENCE

MIB = 1024 * 1024


def memory(portal: Portal) -> int:
    """Resident memory of the portal's own process, in bytes."""
    assert portal.process
    pages = int(Path(f"/proc/{portal.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def temporary_files(portal: Portal) -> int:
    """Bytes in deleted files that the process holds open."""
    assert portal.process
    total = 0
    for descriptor in Path(f"/proc/{portal.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            if str(descriptor.readlink()).startswith("/") and descriptor.stat().st_nlink == 0:
                total += descriptor.stat().st_size
    return total


def connect(portal: Portal, *lines: str, buffer: int = 0) -> socket.socket:
    """A connection on which this request's head was sent. `buffer`: the size of its receive buffer."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", portal.port))
    head = [lines[0], f"Host: 127.0.0.1:{portal.port}", *lines[1:], "", ""]
    connection.sendall("\r\n".join(head).encode())
    return connection


def push(connection: socket.socket, content: bytes) -> None:
    """Send as much as the portal reads before it closes the connection."""
    with suppress(ConnectionError):
        connection.sendall(content)


def head_of_answer(connection: socket.socket) -> str:
    """The response's status line and headers; of its body, next to nothing is read."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(512)
        assert piece, f"the connection ended after {received!r}"
        received += piece
    return received.partition(b"\r\n\r\n")[0].decode()


def status_of(head: str) -> int:
    return int(head.split()[1])


def cookies_of(client: Client) -> str:
    """The header with this user's cookies."""
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())


def make_large_image(portal: Portal, client: Client, *, size: int) -> str:
    """The id of an image whose file has `size` bytes: the portal does not check files that it has stored."""
    answer = client.send(
        f"/w/{client.slug}/upload/", files={"files": ("a.png", picture("teal"), "image/png")}
    )
    assert answer.status_code == 302, answer.text
    [(image_id, name)] = portal.query("SELECT id, storage_name FROM editor_image")
    (portal.data / "media" / name).write_bytes(os.urandom(size))
    return str(image_id)


def until(condition: Callable[[], bool], *, within: float = 60) -> None:
    """Wait until the condition holds, at most `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)
