"""The portal's own endpoint of upload links, over real connections."""

from __future__ import annotations

import hashlib
import json
import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from editor.access.actor import Actor
from editor.api import put
from editor.gateway import body as bodies
from editor.gateway.body import BodySlots
from editor.media import store
from editor.media.limits import MAX_BYTES
from editor.models import Upload
from editor.operations import uploads
from editor.operations.uploads import Ticket
from imageeditor.asgi import application
from tests import ask
from tests.emulators.server import Server
from tests.factories import make_actor, photo
from tests.operations.upload_files import announce, expire, stored_files
from tests.patience import PATIENCE, wait_until

pytestmark = pytest.mark.usefixtures("committed")

PNG = {"content-type": "image/png"}


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def portal(committed: None) -> Iterator[str]:
    """The portal's URL."""
    server = Server(application)
    server.start()
    yield f"http://{server.host}:{server.port}"
    server.stop()


@pytest.fixture
def ticket(actor: Actor, portal: str) -> Ticket:
    return announce(actor, base=portal)


def assert_refused(response: httpx.Response, status: int, message: str) -> None:
    assert response.status_code == status
    body = response.json()
    assert body.keys() == {"success", "error", "code"}
    assert body["success"] is False
    assert message in body["error"]
    assert response.headers["connection"] == "close"
    assert not stored_files()
    assert not Upload.objects.exclude(received_at=None).exists()


@contextmanager
def raw(ticket: Ticket, *headers: str, method: str = "PUT") -> Iterator[socket.socket]:
    """A connection on which only the headers of a request were sent."""
    url = urlsplit(ticket.upload_url)
    lines = [f"{method} {url.path} HTTP/1.1", f"Host: {url.netloc}", "Content-Type: image/png", *headers]
    with closing(socket.create_connection((url.hostname, url.port), timeout=PATIENCE)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Status and body of the response, after which the connection must be closed."""
    received = b""
    with suppress(ConnectionResetError):  # it may be closed before everything sent is read
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def until_held(bodies: int) -> None:
    """Wait until `bodies` files are being received."""
    wait_until(lambda: put._slots._all._free == put.FILES_AT_ONCE - bodies)


def test_the_file_is_stored_unchanged(ticket: Ticket) -> None:
    content = photo()
    response = ask.put(ticket.upload_url, content=content, headers=PNG)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"] == f'"{hashlib.md5(content).hexdigest()}"'
    assert "set-cookie" not in response.headers
    upload = Upload.objects.get()
    assert upload.received_at is not None
    assert store.read(upload.storage_name) == content


def test_a_file_without_a_content_length_is_accepted(ticket: Ticket) -> None:
    response = ask.put(ticket.upload_url, content=iter([b"one ", b"two"]), headers=PNG)
    assert response.status_code == 200
    assert store.read(Upload.objects.get().storage_name) == b"one two"


def test_the_largest_file_is_accepted_and_one_byte_more_is_not(actor: Actor, portal: str) -> None:
    largest = bytes(MAX_BYTES)
    assert ask.put(announce(actor, base=portal).upload_url, content=largest, headers=PNG).status_code == 200
    path = stored_files()[0]
    assert path.stat().st_size == MAX_BYTES
    path.unlink()
    Upload.objects.all().delete()
    with raw(announce(actor, base=portal), f"Content-Length: {MAX_BYTES + 1}") as connection:
        assert answer(connection)[0] == 413
    assert not stored_files()


@pytest.mark.parametrize("size", [0, 10, 10**9])
def test_a_file_may_have_another_size_than_was_declared(actor: Actor, portal: str, size: int) -> None:
    ticket = announce(actor, base=portal, size=size)
    assert ask.put(ticket.upload_url, content=photo(), headers=PNG).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE", "PATCH"])
def test_other_methods_are_refused(ticket: Ticket, method: str) -> None:
    response = ask.request(method, ticket.upload_url, headers=PNG)
    assert (response.status_code, response.headers["allow"]) == (405, "PUT")
    assert not stored_files()


@pytest.mark.parametrize("announced", ["image/jpeg", "image/jpg", "image/pjpg"])
@pytest.mark.parametrize("sent", ["image/jpeg", "image/jpg", "image/pjpg"])
def test_other_spellings_of_the_type_are_the_same(
    actor: Actor, portal: str, announced: str, sent: str
) -> None:
    ticket = announce(actor, base=portal, content_type=announced)
    response = ask.put(ticket.upload_url, content=photo(), headers={"content-type": sent})
    assert response.status_code == 200


@pytest.mark.parametrize("content_type", ["image/jpeg", "text/html", "image/png; charset=x", "", None])
def test_another_type_is_refused(ticket: Ticket, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert_refused(ask.put(ticket.upload_url, content=photo(), headers=headers), 403, "image/png")


@pytest.mark.parametrize("end", ["", "x", "%00", "%ff%fe", "a.b.c", "%2e%2e/files/x", "é", "x" * 20_000])
def test_an_invalid_link_is_refused(portal: str, end: str) -> None:
    assert_refused(ask.put(f"{portal}/uploads/{end}", content=photo(), headers=PNG), 403, "invalid")


def test_a_link_cannot_be_changed_into_another(actor: Actor, portal: str) -> None:
    one, other = (announce(actor, base=portal).upload_url for _ in range(2))
    swapped = one.rpartition(".")[0] + "." + other.rpartition(".")[2]
    assert_refused(ask.put(swapped, content=photo(), headers=PNG), 403, "invalid")


def test_an_expired_link_is_refused(ticket: Ticket, portal: str) -> None:
    expire(ticket.image_id, seconds=1)
    url = f"{portal}/uploads/{uploads.token(Upload.objects.get())}"
    assert_refused(ask.put(url, content=photo(), headers=PNG), 403, "expired")


def test_a_link_whose_upload_is_gone_is_refused(ticket: Ticket) -> None:
    Upload.objects.all().delete()
    assert_refused(ask.put(ticket.upload_url, content=photo(), headers=PNG), 403, "no longer valid")


def test_an_empty_file_is_refused(ticket: Ticket) -> None:
    assert_refused(ask.put(ticket.upload_url, content=b"", headers=PNG), 400, "empty")
    assert_refused(ask.put(ticket.upload_url, content=iter([]), headers=PNG), 400, "empty")
    assert ask.put(ticket.upload_url, content=photo(), headers=PNG).status_code == 200


def test_a_second_file_is_refused_unread(ticket: Ticket) -> None:
    assert ask.put(ticket.upload_url, content=b"first", headers=PNG).status_code == 200
    with raw(ticket, "Content-Length: 6") as connection:
        status, body = answer(connection)
    assert (status, body["success"]) == (409, False)
    assert store.read(Upload.objects.get().storage_name) == b"first"


def test_of_two_concurrent_files_one_is_stored(ticket: Ticket) -> None:
    with raw(ticket, "Content-Length: 5") as one, raw(ticket, "Content-Length: 5") as other:
        one.sendall(b"1")
        other.sendall(b"2")
        until_held(2)  # both links have been checked by now
        other.sendall(b"2222")
        assert other.recv(65536).startswith(b"HTTP/1.1 200")
        one.sendall(b"1111")
        assert answer(one)[0] == 409
    assert store.read(Upload.objects.get().storage_name) == b"22222"


def test_300_megabytes_are_refused_before_they_are_sent(ticket: Ticket) -> None:
    with raw(ticket, f"Content-Length: {300 * 1024**2}", "Expect: 100-continue") as connection:
        status, body = answer(connection)
    assert status == 413
    assert "25 MiB" in str(body["error"])
    assert not stored_files()


def test_an_endless_body_is_cut_off_at_the_limit(ticket: Ticket) -> None:
    chunk = b"%x\r\n" % 1024**2 + bytes(1024**2) + b"\r\n"
    sent = 0
    with raw(ticket, "Transfer-Encoding: chunked") as connection, pytest.raises(OSError):
        while sent < 300:
            connection.sendall(chunk)
            sent += 1
    assert 25 <= sent < 60  # the rest is in the sockets' buffers
    assert not stored_files()


def test_a_slow_body_ends_at_the_time_limit(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as short:
        short.setattr(bodies, "BODY_SECONDS", 0.5)
        short.setattr(bodies, "SLOWEST", 10**9)
        with raw(ticket, f"Content-Length: {10**6}") as connection:
            wait_until(lambda: is_answered_after_a_byte(connection))
            assert answer(connection)[0] == 408
    assert not stored_files()
    assert ask.put(ticket.upload_url, content=photo(), headers=PNG).status_code == 200


def is_answered_after_a_byte(connection: socket.socket) -> bool:
    with suppress(ConnectionError):  # the portal has responded meanwhile, and closed the connection
        connection.send(b"x")
    return bool(select.select([connection], [], [], 0)[0])


def test_a_client_that_disconnects_leaves_no_file(ticket: Ticket) -> None:
    with raw(ticket, "Content-Length: 1000") as connection:
        connection.sendall(b"x" * 500)
        until_held(1)
    until_held(0)
    assert ask.put(ticket.upload_url, content=b"whole", headers=PNG).status_code == 200
    assert [path.read_bytes() for path in stored_files()] == [b"whole"]


def test_the_number_of_concurrent_bodies_is_limited(
    actor: Actor, portal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put, "FILES_AT_ONCE", 1)
    monkeypatch.setattr(put, "_slots", BodySlots(most=1, each=1))
    slow, quick = announce(actor, base=portal), announce(actor, base=portal)
    with raw(slow, "Content-Length: 4") as connection:
        connection.sendall(b"sl")
        until_held(1)
        with monkeypatch.context() as short:
            short.setattr(bodies, "SLOT_SECONDS", 0.3)
            refused = ask.put(quick.upload_url, content=photo(), headers=PNG)
        assert_refused(refused, 503, "Try again")
        assert refused.headers["retry-after"] == "5"
        connection.sendall(b"ow")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert ask.put(quick.upload_url, content=photo(), headers=PNG).status_code == 200


def test_a_storage_that_fails_is_reported_in_the_envelope(ticket: Ticket, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("no folder")
    response = ask.put(ticket.upload_url, content=photo(), headers=PNG)
    assert (response.status_code, response.json()["success"]) == (500, False)
    (tmp_path / "media").unlink()
    assert ask.put(ticket.upload_url, content=photo(), headers=PNG).status_code == 200


def test_other_paths_keep_their_limit(portal: str) -> None:
    assert ask.put(f"{portal}/uploads", content=b"x").status_code == 404
    assert ask.get(f"{portal}/healthz").status_code == 200
    assert ask.post(f"{portal}/accounts/login/", content=bytes(3 * 1024**2)).status_code == 413
