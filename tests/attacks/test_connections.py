"""Strangers who hold connections, send half a request, or send endless headers."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.attacks.strangers import (
    HALF,
    Crowd,
    connect,
    descriptors,
    is_closed,
    is_healthy,
    many_files,
    megabytes,
    wait_for,
)
from tests.e2e.portal import ROOT, Portal
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE

# Of 1,024 descriptors: half are for clients, a quarter of these for one address.
CLIENTS, OF_ONE = 512, 128
STRANGER, NEIGHBOUR = "127.0.0.2", "127.0.0.3"  # 127.0.0.1 is the proxy
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
UPGRADE = (
    b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
LOGIN = b"GET /accounts/login/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
KIB = 1024


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def portal(portals: Path, keys: dict[str, str]) -> Iterator[Portal]:
    """A portal with a hard limit of 1,024 open files and a soft limit of 512."""
    folder = portals / "connections"
    folder.mkdir()
    portal = Portal(folder)
    portal.limits = "ulimit -Sn 512; ulimit -Hn 1024"
    files = {"api_key_file": folder / "key", "wiro_key_file": folder / "wiro.json"}
    portal.start()
    portal.bootstrap(
        email="amara@example.test",
        workspace="Acme Studio",
        credits=100,
        **{name: str(path) for name, path in files.items()},
    )
    keys["key"] = files["api_key_file"].read_text().strip()
    keys |= json.loads(files["wiro_key_file"].read_text())
    yield portal
    portal.remove()


def exchange(portal: Portal, *parts: bytes) -> bytes:
    """The portal's response until it closes the connection, maybe before it has read everything."""
    with connect(portal) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(64 * KIB):
            answer += part
    return answer


def test_the_portal_logs_its_limit_of_open_files(portal: Portal) -> None:
    log = portal.log.read_text()
    assert "open files: at most 1024 (512 before)" in log
    assert f"connections of clients: at most {CLIENTS}, of one address {OF_ONE}" in log


def test_a_worker_raises_its_limit_of_open_files_too(portal: Portal, tmp_path: Path) -> None:
    output = tmp_path / "worker.log"
    with output.open("wb") as log:
        worker = subprocess.Popen(
            ["sh", "-c", 'ulimit -Sn 512; exec "$@"', "sh", sys.executable, "manage.py", "worker"],
            cwd=ROOT,
            env=portal.environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: "open files: at most" in output.read_text(), portal)
        limits = Path("/proc", str(worker.pid), "limits").read_text()
        soft, hard = limits.partition("Max open files")[2].split()[:2]
        assert soft == hard != "512"
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(PATIENCE)
        finally:
            worker.kill()
            worker.wait()


def test_silent_and_half_sent_connections_are_closed(portal: Portal) -> None:
    """Without a byte, in the middle of a request, before a second one, and within a WebSocket handshake."""
    parts = [b"", b"\r\n", HALF, GET + b"\r\n" + HALF, UPGRADE[:-2], GET + b"Content-Length: 9\r\n"]
    with ExitStack() as stack:
        waiting = [stack.enter_context(connect(portal)) for _ in parts]
        for connection, each in zip(waiting, parts, strict=True):
            connection.sendall(each)
        for connection in waiting:
            connection.settimeout(PATIENCE)
            read_all(connection)  # ends when the portal closes the connection


def test_one_address_does_not_keep_others_out(portal: Portal) -> None:
    """It holds as many connections as are allowed: its newest ones."""
    with many_files(), Crowd(portal, count=OF_ONE + 50, source=STRANGER) as crowd:
        crowd.press()
        wait_for(lambda: all(map(is_closed, crowd.open[:50])), portal)
        assert is_healthy(portal, source=NEIGHBOUR)
        assert is_healthy(portal, source=STRANGER)


def test_silent_connections_of_many_addresses_make_room(portal: Portal) -> None:
    with many_files(), ExitStack() as stack:
        for number in range(10):
            crowd = Crowd(portal, count=OF_ONE, source=f"127.0.1.{number}", message=HALF)
            stack.enter_context(crowd).press()
        assert descriptors(portal) < CLIENTS + 200
        assert is_healthy(portal, source=NEIGHBOUR)
        assert exchange(portal, LOGIN).startswith(b"HTTP/1.1 200")


def test_the_health_check_works_when_all_connections_are_in_use(portal: Portal) -> None:
    """WebSockets count as in use while they are open."""
    with many_files(), ExitStack() as stack:
        for _ in range(CLIENTS):
            connection = stack.enter_context(connect(portal))
            connection.sendall(UPGRADE)
            assert connection.recv(4 * KIB).startswith(b"HTTP/1.1 101")
        assert is_healthy(portal)
        assert exchange(portal, LOGIN).startswith(b"HTTP/1.1 503")
        assert exchange(portal, UPGRADE).startswith(b"HTTP/1.1 503")
    wait_for(lambda: exchange(portal, LOGIN).startswith(b"HTTP/1.1 200"), portal)


ENDLESS = [
    (b"GET /", b"a" * KIB),
    (GET + b"X-A: ", b"a" * KIB),
    (GET + b"X-A", b"a" * KIB),
    (GET, b"X-A: " + b"a" * KIB + b"\r\n"),
    (GET, b"a:\r\n"),
    (UPGRADE[:-2] + b"Cookie: ", b"a" * KIB),
    (GET + b"\r\n" + GET + b"X-A: ", b"a" * KIB),
    (b"", b"\r\n"),
]


@pytest.mark.parametrize(("begin", "more"), ENDLESS, ids=range(len(ENDLESS)))
def test_endless_headers_are_refused(portal: Portal, begin: bytes, more: bytes) -> None:
    """The portal stops reading instead of keeping 64 MB."""
    before = megabytes(portal)
    with connect(portal) as connection:
        connection.sendall(begin)
        block = more * (64 * KIB // len(more))
        try:
            for _ in range(1024):
                connection.sendall(block)
        except ConnectionError:
            pass
        else:
            raise AssertionError("it took 64 MB")
    assert megabytes(portal) - before < 32


LONG = [
    GET.replace(b"healthz", b"healthz?" + b"a" * 65 * KIB) + b"\r\n",
    GET + b"X-A: " + b"a" * 65 * KIB + b"\r\n\r\n",
    GET + b"".join(b"X-%d: %s\r\n" % (number, b"a" * KIB) for number in range(65)) + b"\r\n",
    GET + b"".join(b"X-%d: a\r\n" % number for number in range(300)) + b"\r\n",
    UPGRADE[:-2] + b"Cookie: " + b"a" * 65 * KIB + b"\r\n\r\n",
]


@pytest.mark.parametrize("head", LONG, ids=range(len(LONG)))
def test_a_too_long_head_is_answered_with_431(portal: Portal, head: bytes) -> None:
    answer = exchange(portal, head)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"\r\nconnection: close\r\n" in answer


def test_a_too_long_second_request_on_a_connection_is_refused(portal: Portal) -> None:
    with connect(portal) as connection:
        connection.sendall(GET + b"\r\n")
        first = connection.recv(4 * KIB)
        assert first.startswith(b"HTTP/1.1 200")
        with contextlib.suppress(ConnectionError):
            connection.sendall(LONG[1])
        assert b"HTTP/1.1 431" in first + read_all(connection)  # the first response's body may arrive late


def test_a_trailer_is_limited_like_headers(portal: Portal) -> None:
    chunked = b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with connect(portal) as connection:
        connection.sendall(chunked)
        with pytest.raises(ConnectionError):
            for _ in range(1024):
                connection.sendall(b"X-A: " + b"a" * 64 * KIB)


def test_a_long_head_within_the_limit_is_accepted(portal: Portal) -> None:
    head = GET + b"X-A: " + b"a" * 60 * KIB + b"\r\nConnection: close\r\n\r\n"
    pieces = [head[start : start + 7 * KIB] for start in range(0, len(head), 7 * KIB)]
    assert exchange(portal, *pieces).startswith(b"HTTP/1.1 200")


def test_thousands_of_pipelined_requests_are_not_queued(portal: Portal) -> None:
    slow = b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert exchange(portal, slow * 3000).count(b"HTTP/1.1 200") < 100


CHANNELS = {
    "api": (BASE + "/jobs", "Authorization", "Bearer {key}"),
    "bfl": ("/v1/get_result?id=none", "x-key", "{key}"),
    "wiro": ("/v1/Task/Detail", "x-api-key", "{api_key}"),
    "openai": ("/v1/models", "Authorization", "Bearer {key}"),
    "mcp": ("/mcp", "Authorization", "Bearer {key}"),
}


@pytest.mark.parametrize("right_first", [True, False])
@pytest.mark.parametrize("channel", CHANNELS)
def test_repeated_credentials_are_refused_in_any_order(
    portal: Portal, keys: dict[str, str], channel: str, right_first: bool
) -> None:
    path, name, form = CHANNELS[channel]
    right = form.format(**keys)
    wrong = right[:-8] + "A" * 8
    assert status(portal, channel, path, [(name, wrong)]) == (403 if channel == "bfl" else 401)
    if channel != "wiro":  # its key requires signed requests
        assert status(portal, channel, path, [(name, right)]) != 401
    two = [(name, right), (name, wrong)] if right_first else [(name, wrong), (name, right)]
    assert status(portal, channel, path, two) == 401
    assert status(portal, channel, path, [(name, right), (name, right)]) == 401


def status(portal: Portal, channel: str, path: str, headers: list[tuple[str, str]]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.putrequest("POST" if channel in ("wiro", "mcp") else "GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        return connection.getresponse().status
