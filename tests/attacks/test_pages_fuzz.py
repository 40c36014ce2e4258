"""Invalid requests over the wire: one clear response each, and at most one line in the log."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.e2e.api import open_spaces
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.patience import PATIENCE

EMAIL, SLUG = "amara@example.test", "acme-studio"
# A path of each API, and those of pages.
CHANNELS = (
    *("/", "/accounts/login/", "/w/acme-studio/", "/admin/", "/api/v1/image-editor/jobs", "/mcp"),
    *("/v1/Task/Detail", "/v1/models", "/v1/credits", "/callbacks/bfl/x", "/files/x", "/static/x"),
)
SOCKETS = ("/ws/w/acme-studio/", "/ws/v1", "/v1", "/ws/nowhere", "/")
HOSTS = ("evil.example", "127.0.0.1.evil.example", "a_b!", "[::1", "x" * 5000, "é")


@pytest.fixture(scope="module")
def portal(portals: Path) -> Iterator[Portal]:
    folder = portals / "pages_fuzz"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    open_spaces(portal, {"acme": {"workspace": "Acme Studio"}})
    yield portal
    portal.remove()


def ask(portal: Portal, raw: bytes) -> bytes:
    """The beginning of the response to these bytes; b"" if the connection is closed at once."""
    with socket.create_connection(("127.0.0.1", portal.port), timeout=PATIENCE) as connection:
        connection.sendall(raw)
        try:
            return connection.recv(65_536)
        except ConnectionResetError:
            return b""


def lines(portal: Portal) -> list[str]:
    return portal.log.read_text().splitlines()


@pytest.mark.parametrize("host", HOSTS, ids=range(len(HOSTS)))
def test_a_foreign_host_gets_400_and_one_line_at_most(portal: Portal, host: str) -> None:
    for path in CHANNELS:
        before = len(lines(portal))
        raw = f"GET {path} HTTP/1.1\r\nHost: ".encode() + host.encode() + b"\r\nConnection: close\r\n\r\n"
        answer = ask(portal, raw)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")), (path, answer)
        assert path.startswith(("/static/", "/callbacks/")) or b" 400 " in answer, (path, answer)
        assert len(lines(portal)) <= before + 1, lines(portal)[before:]


def test_sockets_with_a_foreign_host_or_unknown_path_are_refused_without_logging(portal: Portal) -> None:
    before = lines(portal)
    for path in SOCKETS:
        for host in ("evil.example", f"127.0.0.1:{portal.port}"):
            for origin in (None, "null", "http://evil.example", f"http://{host}", "x" * 3000):
                try:
                    with connect(
                        f"ws://127.0.0.1:{portal.port}{path}",
                        origin=Origin(origin) if origin else None,
                        additional_headers={"Host": host},
                        proxy=None,
                        open_timeout=PATIENCE,
                    ) as page:
                        page.recv(timeout=PATIENCE)
                except (InvalidStatus, ConnectionClosed):
                    pass
    assert lines(portal) == before


def test_odd_requests_cause_no_server_error(portal: Portal) -> None:
    """Almost valid requests, deterministic, with and without a session."""
    person = Client(portal, email=EMAIL, slug=SLUG)
    cookies = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    token = person.http.cookies["csrftoken"]
    person.http.close()
    dice = random.Random(11)
    odd = [
        b"",
        b"\0",
        b"%00",
        b"%ff",
        b"%",
        b"\xff\xfe",
        b"x" * 9000,
        b"9" * 400,
        b"../..",
        b"//",
        b"?",
        b"\x7f",
    ]
    paths = [path.encode() for path in CHANNELS]
    paths += [
        b"/w/acme-studio/gallery/?older=",
        b"/w/acme-studio/run/",
        b"/w/acme-studio/gallery/star/?next=",
    ]
    names = [b"Host", b"Cookie", b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"X-Forwarded-For"]
    names += [b"Accept-Encoding", b"If-None-Match", b"Range", b"Referer", b"Accept-Language", b"HX-Request"]
    names += [b"HX-Current-URL", b"Authorization", b"X-Key", b"Expect", b"Origin", b"Prefer", b"Upgrade"]
    before = len(lines(portal))
    for _ in range(300):
        method = dice.choice([b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"G\0T", b"x" * 30])
        body = b"&".join(dice.choice(odd) + b"=" + dice.choice(odd) for _ in range(dice.randrange(4)))
        known = [
            (b"Host", f"127.0.0.1:{portal.port}".encode()),
            (b"Cookie", cookies.encode()),
            (b"X-CSRFToken", token.encode()),
            (b"Content-Type", b"application/x-www-form-urlencoded"),
            (b"Content-Length", b"%d" % len(body)),
        ]
        headers = [*known, (dice.choice(names), dice.choice(odd))]
        if dice.random() < 0.3:
            headers.pop(dice.randrange(len(headers)))
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        version = dice.choice([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9", b""])
        line = b"%b %b%b %b\r\n" % (method, dice.choice(paths), dice.choice(odd), version)
        with socket.create_connection(("127.0.0.1", portal.port), timeout=PATIENCE) as connection:
            answer = b""
            with suppress(OSError):  # the portal may close it before it has read everything
                connection.sendall(line + head + b"Connection: close\r\n\r\n" + body)
                connection.shutdown(
                    socket.SHUT_WR
                )  # end of the request, so that the portal does not wait for more
            with suppress(ConnectionResetError):
                while piece := connection.recv(65_536):
                    answer += piece
        assert not answer.startswith(b"HTTP/1.1 5"), (line, head, body, answer)
    log = "\n".join(lines(portal)[before:])
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
