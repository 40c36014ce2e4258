"""One request to a URL that somebody named, made to an address that was judged.

The name is resolved once. The connection is then made to the address, not to the name, so that a
name which means another address a moment later gains nothing. TLS is verified against the name all
the same. Where requests may go is decided in `editor/outbound.py`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from weakref import WeakKeyDictionary

import httpx

from editor import outbound

TRIED_ADDRESSES = 4  # of the many that a name may have
_RESOLVING_THREADS = 8

# The addresses that a host name stands for. Raises OSError or UnicodeError when there are none.
Resolve = Callable[[str], Awaitable[Sequence[str]]]


class NotReached(Exception):
    """No address of the host took the connection. `untrusted`: one did, without a valid certificate."""

    def __init__(self, *, untrusted: bool) -> None:
        super().__init__("no valid certificate" if untrusted else "not reached")
        self.untrusted = untrusted


async def resolve(host: str) -> list[str]:
    """The addresses of a host name, as the system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(
        _resolvers(), partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(place[4][0]) for place in found))


async def addresses(target: httpx.URL, *, resolve: Resolve, seconds: float) -> Sequence[str]:
    """Where the host is, when it is nowhere that must not be asked.

    Raises Forbidden for an address that is not public, and OSError (TimeoutError) or UnicodeError
    for a name that is nowhere.
    """
    host = host_of(target)
    async with asyncio.timeout(seconds):
        found = await resolve(host)
    for address in found:
        outbound.check_address(host, address)
    if not found:
        raise OSError("the name has no address")
    return found


async def ask(
    transport: httpx.AsyncHTTPTransport,
    method: str,
    target: httpx.URL,
    addresses: Sequence[str],
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    seconds: float,
    connect_seconds: float,
) -> httpx.Response:
    """The answer of the first address that can be reached, its body not yet read. Raises NotReached.

    seconds          for each step of the exchange; whoever calls bounds the whole
    connect_seconds  for each connection, and again for its encryption
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
            untrusted = untrusted or _is_distrust(error)
    raise NotReached(untrusted=untrusted)


def host_of(url: httpx.URL) -> str:
    """As it is written on the wire: without brackets, and in ASCII whatever the script of its name."""
    return url.raw_host.decode("ascii")


def usual_trust() -> ssl.SSLContext:
    """The usual authorities, or those in SSL_CERT_FILE; made once an event loop, since it takes a while."""
    loop = asyncio.get_running_loop()
    if loop not in _trust:
        _trust[loop] = httpx.create_ssl_context()
    return _trust[loop]


_trust: WeakKeyDictionary[asyncio.AbstractEventLoop, ssl.SSLContext] = WeakKeyDictionary()


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Threads of its own: a name server that never answers must not take those that others wait for."""
    return ThreadPoolExecutor(_RESOLVING_THREADS, thread_name_prefix="outside-names")


def _is_distrust(error: httpx.ConnectError) -> bool:
    """Whether it was the certificate: httpx tells of that within the error only."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__context__
    return cause is not None
