"""The one client that speaks to providers: httpx on aiohttp's connections, one pool a provider.

Three ways to ask, which differ in what a broken connection means:

    submit    may cost money and is sent once; unclear ends are UNKNOWN_OUTCOME
    ask       harmless, may be asked again; every failure of the connection is `Temporary`
    download  fetches a result, within limits; tried a few times

Where requests may go is decided in `editor/outbound.py`, for the text of each URL and again
for every address that its host stands for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from editor import outbound
from editor.providers.base import ErrorKind, ProviderError, ResultImage
from editor.providers.failures import failure, temporary

CONNECT_SECONDS = 10.0
ASK_SECONDS = 30.0
SUBMIT_SECONDS = 120.0
DOWNLOAD_SECONDS = 120.0
ANSWER_BYTES = 256 * 1024**2  # of one answer; some carry images as base64
IMAGE_BYTES = 64 * 1024**2  # of one result
# Shorter than servers keep idle connections, so that none is closed in the moment it is used.
IDLE_SECONDS = 4.0
DOWNLOAD_PAUSES = (0.5, 2.0)  # seconds before the second and the third try
REDIRECTS = 3
# Requests that carry images, at once: each holds its images in memory while it lasts.
TRANSFERS = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered, whatever its status."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None where it is none. An HTML page of a proxy is none."""
        try:
            return json.loads(self.content)
        except ValueError:  # UnicodeDecodeError too
            return None

    def table(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        body = self.json()
        return body if isinstance(body, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds, from the Retry-After header in either of its forms."""
        value = self.headers.get("retry-after", "")
        with contextlib.suppress(ValueError):
            return max(0.0, float(value))
        with contextlib.suppress(ValueError, TypeError):
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        return None


async def submit(
    provider: str,
    url: str,
    *,
    headers: Mapping[str, str],
    seconds: float = SUBMIT_SECONDS,
    **body: Any,
) -> Answer:
    """POST what may cost money, once. `body`: json=, content=, data= or files=, as httpx takes them.

    Raises ProviderError: UNAVAILABLE when nothing can have been sent, else UNKNOWN_OUTCOME.
    """
    try:
        return await _send(provider, "POST", url, headers=headers, seconds=seconds, **body)
    except outbound.Forbidden as error:
        raise failure(ErrorKind.UNAVAILABLE, said=error.message) from error
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        kind = ErrorKind.UNAVAILABLE if _never_connected(error) else ErrorKind.UNKNOWN_OUTCOME
        raise failure(kind) from error


async def ask(
    provider: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = ASK_SECONDS,
    **body: Any,
) -> Answer:
    """Ask what may be asked again. Raises Temporary when there was no answer."""
    try:
        return await _send(provider, method, url, headers=headers or {}, seconds=seconds, **body)
    except outbound.Forbidden as error:
        raise failure(ErrorKind.UNAVAILABLE, said=error.message) from error
    except TimeoutError as error:
        raise temporary(ErrorKind.TIMEOUT) from error
    except (httpx.HTTPError, OSError) as error:
        raise temporary() from error


async def download(provider: str, url: str, *, limit: int = IMAGE_BYTES) -> ResultImage:
    """Fetch one result. No key is sent: results lie on other hosts.

    Raises ProviderError (UNAVAILABLE) when it is gone, too large, or does not come after three tries.
    """
    for pause in (*DOWNLOAD_PAUSES, None):
        try:
            async with transfer(), asyncio.timeout(DOWNLOAD_SECONDS):
                return await _fetch(provider, url, limit)
        except outbound.Forbidden as error:
            raise _lost(f"Its link was refused. {error.message}") from error
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            if pause is None:
                raise _lost("The download failed three times.") from error
            await asyncio.sleep(pause)
    raise AssertionError("not reached")


@contextlib.asynccontextmanager
async def transfer() -> AsyncIterator[None]:
    """Hold one of the few places for requests that carry images in or out."""
    async with _here().transfers:
        yield


def refusal(answer: Answer, *, said: str = "", asking: bool = False) -> ProviderError:
    """What a status of 400 or more means where the provider's own code says nothing better.

    asking  the question was harmless: what may pass by itself becomes `Temporary`
    """
    status = answer.status
    if status == 429:
        kind = ErrorKind.RATE_LIMITED
    elif status == 402:
        kind = ErrorKind.INSUFFICIENT_FUNDS
    elif status in (401, 403):
        kind = ErrorKind.AUTH
    elif status == 504 and not asking:  # a proxy gave up waiting; what is behind it may go on
        kind = ErrorKind.UNKNOWN_OUTCOME
    elif status >= 500 or status == 408:
        kind = ErrorKind.UNAVAILABLE
    else:
        kind = ErrorKind.INVALID_INPUT
    if asking and kind in (ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE):
        return temporary(kind, said=said, retry_after=answer.retry_after)
    return failure(kind, said=said, retry_after=answer.retry_after)


async def close() -> None:
    """Close this event loop's connections."""
    here = _loops.pop(asyncio.get_running_loop(), None)
    if here:
        for client in here.clients.values():
            await client.aclose()


# --- Sending ---------------------------------------------------------------------------


async def _send(
    provider: str, method: str, url: str, *, headers: Mapping[str, str], seconds: float, **body: Any
) -> Answer:
    outbound.check_url(url)
    client = _client(provider)
    request = client.build_request(method, url, headers=dict(headers), timeout=_timeout(seconds), **body)
    async with asyncio.timeout(seconds):
        response = await client.send(request, stream=True)
        try:
            content = await _read(response, ANSWER_BYTES)
        finally:
            await response.aclose()
    return Answer(status=response.status_code, headers=response.headers, content=content)


async def _fetch(provider: str, url: str, limit: int) -> ResultImage:
    client = _client(provider)
    for _ in range(REDIRECTS + 1):
        outbound.check_url(url)
        request = client.build_request("GET", url, timeout=_timeout(ASK_SECONDS))
        response = await client.send(request, stream=True)
        try:
            if response.is_redirect:
                url = urljoin(url, response.headers["location"])
                continue
            if response.status_code in (401, 403, 404, 410):
                raise _lost("Its link has expired or leads nowhere.")
            response.raise_for_status()
            content = await _read(response, limit)
        finally:
            await response.aclose()
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        return ResultImage(content=content, content_type=kind)
    raise _lost("Its link leads from one address to the next.")


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The decoded body. Raises ProviderError when it is larger than `limit` bytes."""
    too_large = f"It is larger than {limit // 1024**2} MB."
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _lost(too_large)
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > limit:
            raise _lost(too_large)
    return bytes(content)


def _lost(why: str) -> ProviderError:
    return failure(
        ErrorKind.UNAVAILABLE, words=f"The provider made a result, but it could not be fetched. {why}"
    )


def _never_connected(error: BaseException) -> bool:
    """Nothing was sent: the name, the connection or its encryption failed.

    httpx's own classes cannot tell: on this transport a server that hangs up in mid-request is a
    "connect timeout" too.
    """
    cause = error.__cause__ or error
    return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)


# --- Connections -----------------------------------------------------------------------


class _Here:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.transfers = asyncio.Semaphore(TRANSFERS)
        self.tls = httpx.create_ssl_context()  # honours SSL_CERT_FILE


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Here] = WeakKeyDictionary()


def _here() -> _Here:
    loop = asyncio.get_running_loop()
    if loop not in _loops:
        _loops[loop] = _Here()
    return _loops[loop]


def _client(provider: str) -> httpx.AsyncClient:
    here = _here()
    if provider not in here.clients:
        session = aiohttp.ClientSession(
            # How many are open is bounded by who asks, not here: waiting in a pool is invisible.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_SECONDS, resolver=_PublicOnly(), ssl=here.tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        here.clients[provider] = httpx.AsyncClient(
            transport=AiohttpTransport(client=session, verify=here.tls),
            headers={"user-agent": "image-editor-portal"},
            # A provider's cookies would tie the requests of different workspaces together.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
    return here.clients[provider]


class _PublicOnly(AbstractResolver):
    """Resolves names, and gives none of the addresses when one of them must not be asked."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            outbound.check_address(host, result["host"])
        return results

    async def close(self) -> None:
        await self._resolver.close()
