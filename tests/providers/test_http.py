"""The outbound client: submits and repeatable requests to servers that fail, hang and lie."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from editor.providers import http
from editor.providers.base import ErrorKind, ProviderError, Temporary
from tests.providers.calls import ask, failure, submit
from tests.providers.clock import running_fast
from tests.providers.edits import is_final, is_temporary
from tests.providers.hostile import (
    BROKEN,
    Behaviour,
    answers,
    drips,
    hangs,
    hostile,
    resets,
    then_closes,
)


@pytest.fixture(autouse=True)
async def connections_closed() -> AsyncIterator[None]:
    yield
    await http.close()


@pytest.fixture
def unused_url() -> Iterator[str]:
    """The URL of a port that is reserved so that nothing listens on it."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{place.getsockname()[1]}"


def certificate_for(address: str, folder: Path) -> ssl.SSLContext:
    """A server context with a self-signed certificate, which is written to certificate.pem in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path = folder / "key.pem"
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context


async def test_a_refused_connection_means_that_nothing_was_submitted(unused_url: str):
    assert is_final(await failure(submit(unused_url)), ErrorKind.UNAVAILABLE)
    assert is_temporary(await failure(ask(unused_url)), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("host", ["provider.invalid", "a" * 64 + ".example.com", "example..com"])
async def test_an_unknown_host_name_means_that_nothing_was_submitted(host: str):
    url = f"https://{host}/v1"

    assert is_final(await failure(submit(url)), ErrorKind.UNAVAILABLE)
    assert is_temporary(await failure(ask(url)), ErrorKind.UNAVAILABLE)


async def test_a_failed_tls_handshake_means_that_nothing_was_submitted():
    async with hostile(answers(), greeting=b"HTTP/1.1 400 Plain text here\r\n\r\n") as server:
        url = server.url.replace("http:", "https:")

        assert is_final(await failure(submit(url)), ErrorKind.UNAVAILABLE)
        assert is_temporary(await failure(ask(url)), ErrorKind.UNAVAILABLE)

    assert server.requests == []


async def test_an_untrusted_certificate_means_that_nothing_was_submitted(tmp_path: Path):
    async with hostile(answers(), tls=certificate_for("127.0.0.1", tmp_path)) as server:
        assert is_final(await failure(submit(server.url)), ErrorKind.UNAVAILABLE)

    assert server.requests == []


async def test_a_certificate_for_another_name_means_that_nothing_was_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, answered in (("127.0.0.1", True), ("127.0.0.2", False)):
        tls = certificate_for(name, tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))  # now trusted
        await http.close()  # the file is read with the first connection
        async with hostile(answers(), tls=tls) as server:
            if answered:
                assert (await submit(server.url)).ok
            else:
                assert is_final(await failure(submit(server.url)), ErrorKind.UNAVAILABLE)

        assert len(server.requests) == answered


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
async def test_a_submit_that_breaks_off_has_an_unknown_outcome_and_is_not_repeated(behaviour: Behaviour):
    async with hostile(behaviour) as server:
        error = await failure(submit(server.url))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
async def test_a_request_that_breaks_off_may_be_retried(behaviour: Behaviour):
    async with hostile(behaviour) as server:
        assert isinstance(await failure(ask(server.url)), Temporary)


@pytest.mark.parametrize("behaviour", [hangs, drips])
async def test_the_time_limit_counts_from_the_start_to_the_last_byte(behaviour: Behaviour):
    async with hostile(behaviour) as server:
        async with running_fast(once=lambda: len(server.requests) == 1):
            submitted = await failure(submit(server.url, seconds=30))
        async with running_fast(once=lambda: len(server.requests) == 2):
            requested = await failure(ask(server.url, seconds=30))

    assert is_final(submitted, ErrorKind.UNKNOWN_OUTCOME)
    assert is_temporary(requested, ErrorKind.TIMEOUT)
    assert len(server.requests) == 2


async def test_a_connection_that_the_server_closed_is_not_reused():
    async with hostile(then_closes(answers())) as server:
        for number in range(1, 4):
            await submit(server.url)
            async with asyncio.timeout(60):
                while server.closed < number:
                    await asyncio.sleep(0.005)
            for _ in range(20):  # turns of the event loop, in which the client notices
                await asyncio.sleep(0)

    assert (len(server.requests), server.connections) == (3, 3)


async def test_no_submit_arrives_twice_when_connections_close_at_that_moment():
    ends: list[str] = []
    async with hostile(then_closes(answers())) as server:
        for number in range(30):
            try:
                await http.submit("test", server.url, headers={}, content=f"number {number}".encode())
                ends.append("answered")
            except ProviderError as error:
                ends.append(error.kind)

    assert set(ends) <= {"answered", ErrorKind.UNKNOWN_OUTCOME}
    assert len(server.requests) == ends.count("answered")
    assert len({request.rpartition(b"\r\n")[2] for request in server.requests}) == len(server.requests)


async def test_a_submit_on_a_kept_connection_that_dies_is_not_retried():
    async with hostile(answers(b"1"), resets, answers(b"3")) as server:
        await submit(server.url)
        error = await failure(submit(server.url))

        assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
        assert len(server.requests) == 2
        assert server.connections == 1  # the kept one was used


async def test_a_redirect_is_not_followed_with_a_key():
    async with hostile(answers()) as other, hostile(answers(status="307 X", location=other.url)) as server:
        assert (await submit(server.url)).status == 307
        assert (await ask(server.url)).status == 307

    assert other.requests == []


async def test_a_large_body_is_sent_completely():
    content = bytes(range(256)) * 4 * 5000

    async with hostile(answers()) as server:
        await http.submit("test", server.url, headers={"content-type": "a/b"}, content=content)

    [request] = server.requests
    assert request.endswith(content)
    assert f"content-length: {len(content)}\r\n".encode() in request.lower()


@pytest.mark.parametrize("key", ["with\nnewline", "with\0nul", "with–dash", "with\x7fdelete"])
async def test_a_key_that_does_not_fit_in_a_header_is_a_wrong_key(key: str):
    async with hostile(answers()) as server:
        error = await failure(http.ask("test", "GET", server.url, headers={"x-key": key}))

    assert is_final(error, ErrorKind.AUTH)
    assert key not in repr(error)
    assert server.connections == 0


async def test_cookies_are_not_kept():
    async with hostile(answers(set_cookie="session=1; Path=/")) as server:
        await ask(server.url)
        await ask(server.url)

    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_connections_are_kept_between_requests():
    async with hostile(answers()) as server:
        for _ in range(3):
            await ask(server.url)

    assert server.connections == 1


async def test_more_requests_may_wait_at_once_than_httpx_allows_by_default():
    count = 150
    async with hostile(hangs) as server:
        waiting = [asyncio.create_task(failure(ask(server.url, seconds=120))) for _ in range(count)]
        async with asyncio.timeout(60):
            while len(server.requests) < count:
                await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
