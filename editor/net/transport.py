"""One request to an untrusted URL, sent to an address that was checked.

The name is resolved once, by `resolver.py`. The connection is then made to the address, not to the
name, which prevents DNS rebinding. TLS is still verified against the name.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import httpcore
import httpx

from editor.concurrency.per_loop import PerLoop
from editor.shortage import is_shortage

TRIED_ADDRESSES = 4  # a name may have many
# Of a response, before its body. It is parsed in one go, which blocks the event loop.
HEAD_BYTES = 32 * 1024


class NotReached(Exception):
    """No address of the host is reachable. `untrusted`: one is, without a valid certificate."""

    def __init__(self, *, untrusted: bool) -> None:
        super().__init__("no valid certificate" if untrusted else "not reached")
        self.untrusted = untrusted


class Transport(httpx.AsyncHTTPTransport):
    """For one request: no proxies, cookies or redirects, and a limit on the response's head.

    The default one reads interim responses (100 Continue) without a limit.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._head = _Head()
        # There is no other way to make httpx use custom connections.
        self._pool = httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=_Network(self._head))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self._head.is_complete = True
        return response


class _Head:
    """How many more bytes of a response's head may be read, until it is complete."""

    def __init__(self) -> None:
        self.left = HEAD_BYTES
        self.is_complete = False


class _Network(httpcore.AnyIOBackend):
    def __init__(self, head: _Head) -> None:
        self._head = head

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await super().connect_tcp(*args, **options), self._head)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that fails if the head of a response is too long."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, head: _Head) -> None:
        self._stream = stream
        self._head = head

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._head.is_complete:
            return await self._stream.read(max_bytes, timeout)
        if not self._head.left:
            raise httpcore.RemoteProtocolError("the head of the answer is too long")
        content = await self._stream.read(min(max_bytes, self._head.left), timeout)
        self._head.left -= len(content)
        return content

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(*args, **options), self._head)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


async def ask(
    transport: Transport,
    method: str,
    target: httpx.URL,
    addresses: Sequence[str],
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    seconds: float,
    connect_seconds: float,
) -> httpx.Response:
    """The response of the first reachable address, with its body not yet read.

    Raises NotReached, and httpx.ConnectError if this machine lacks resources to connect.

    seconds          for each step of the exchange; the caller limits the total
    connect_seconds  for each connection, and again for its TLS handshake
    """
    untrusted = False
    for address in addresses[:TRIED_ADDRESSES]:
        request = httpx.Request(
            method,
            target.copy_with(host=address),
            headers={**headers, "host": target.netloc.decode("ascii")},
            content=content,
            extensions={
                "sni_hostname": host_of(target).removesuffix("."),  # what the certificate must be for
                "timeout": httpx.Timeout(seconds, connect=connect_seconds).as_dict(),
            },
        )
        try:
            return await transport.handle_async_request(request)
        except httpx.ConnectTimeout:
            continue
        except httpx.ConnectError as error:
            if is_shortage(error):
                raise
            untrusted = untrusted or _is_distrust(error)
    raise NotReached(untrusted=untrusted)


def host_of(url: httpx.URL) -> str:
    """The host as on the wire: without brackets, and in ASCII (IDNA)."""
    return url.raw_host.decode("ascii")


def usual_trust() -> ssl.SSLContext:
    """The usual authorities, or those in SSL_CERT_FILE; cached per event loop, since loading is slow."""
    return _trust.get()


_trust = PerLoop(httpx.create_ssl_context)


def _is_distrust(error: httpx.ConnectError) -> bool:
    """Whether the certificate caused the error: httpx has that error only as context, not as cause."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__context__
    return cause is not None
