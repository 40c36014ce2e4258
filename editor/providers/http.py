"""The HTTP client for providers: httpx on aiohttp's connections, one pool per provider.

Three kinds of requests, which differ in the meaning of a broken connection:

    submit    may cost money and is sent once; unclear outcomes are UNKNOWN_OUTCOME
    ask       harmless, may be retried; every failure of the connection is `Temporary`
    download  fetches a result, within limits; tried a few times

All raise `NotSent` if this machine had no descriptor or memory for a connection.

`editor/net/policy.py` decides where requests may go, for the text of each URL and again
for every address that its host resolves to.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx

from editor import retry_after
from editor.net import policy, pool
from editor.providers import sent
from editor.providers.base import ErrorKind, ProviderError, ResultImage
from editor.providers.failures import failure, not_sent, temporary
from editor.shortage import is_shortage

CONNECT_SECONDS = 10.0
ASK_SECONDS = 30.0
SUBMIT_SECONDS = 120.0
DOWNLOAD_SECONDS = 120.0
ANSWER_BYTES = 256 * 1024**2  # of one response; some contain images as base64
IMAGE_BYTES = 128 * 1024**2  # of one result, as many as media/limits.py allows
DOWNLOAD_PAUSES = (0.5, 2.0)  # seconds before the second and the third try
REDIRECTS = 3
PIECE = 256 * 1024  # bytes of a large body that are written at once
GZIP = 31  # zlib's wbits for gzip

# async with http.submitting(provider): hold one of the few slots for submits with images.
submitting = pool.slots
close = pool.close

# All connection errors. aiohttp's own errors come through for responses that are not HTTP.
_BROKEN = (httpx.HTTPError, OSError, TimeoutError, aiohttp.ClientError)


class _Unreadable(Exception):
    """The response cannot be used; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's response, whatever its status."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None if it is not JSON, such as a proxy's HTML page."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):  # UnicodeDecodeError too
            return None

    def table(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is not one."""
        body = self.json()
        return body if isinstance(body, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds, from the Retry-After header in either of its forms."""
        return retry_after.parse(self.headers.get("retry-after", ""))


async def submit(
    provider: str,
    url: str,
    *,
    headers: Mapping[str, str],
    seconds: float = SUBMIT_SECONDS,
    **body: Any,
) -> Answer:
    """POST once what may cost money. `body`: json=, content=, data= or files=, as for httpx.

    Raises ProviderError: UNAVAILABLE if nothing can have been sent, else UNKNOWN_OUTCOME.
    """
    with sent.noted(url):
        try:
            return await _send(provider, "POST", url, headers=headers, seconds=seconds, **body)
        except policy.Forbidden as error:
            raise failure(ErrorKind.UNAVAILABLE, provider_message=error.message) from error
        except _Unreadable as error:
            raise failure(ErrorKind.UNKNOWN_OUTCOME, message=_lost(str(error)).message) from error
        except _BROKEN as error:
            if not _never_connected(error):
                raise failure(ErrorKind.UNKNOWN_OUTCOME) from error
            raise (not_sent() if is_shortage(error) else failure(ErrorKind.UNAVAILABLE)) from error


async def ask(
    provider: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = ASK_SECONDS,
    **body: Any,
) -> Answer:
    """Send a request that may be retried. Raises Temporary if there was no response, or nothing was sent."""
    try:
        return await _send(provider, method, url, headers=headers or {}, seconds=seconds, **body)
    except policy.Forbidden as error:
        raise failure(ErrorKind.UNAVAILABLE, provider_message=error.message) from error
    except _Unreadable as error:
        raise _lost(str(error)) from error
    except TimeoutError as error:
        raise temporary(ErrorKind.TIMEOUT) from error
    except _BROKEN as error:
        raise (not_sent() if is_shortage(error) else temporary()) from error


async def download(provider: str, url: str, *, limit: int = IMAGE_BYTES) -> ResultImage:
    """Fetch one result. No key is sent: results are on other hosts.

    Raises ProviderError (UNAVAILABLE) if it is gone, too large or must not be fetched, and Temporary
    after three failed attempts.
    """
    for pause in (*DOWNLOAD_PAUSES, None):
        try:
            async with pool.downloads(provider), asyncio.timeout(DOWNLOAD_SECONDS):
                return await _fetch(provider, url, limit)
        except policy.Forbidden as error:
            raise _lost(f"Its link was rejected. {error.message}") from error
        except _Unreadable as error:
            raise _lost(str(error)) from error
        except _BROKEN as error:
            if is_shortage(error):
                raise not_sent() from error
            if pause is None:
                raise temporary() from error
            await asyncio.sleep(pause)
    raise AssertionError("not reached")


def refusal(answer: Answer, *, provider_message: str = "", asking: bool = False) -> ProviderError:
    """The error for an unsuccessful status, unless the provider's own code is more precise.

    After a submit only the provider itself can report that it did not accept the task: by 500 or 503
    with a JSON body. Any other failure may come from a proxy in front of it.

    asking  the request was harmless: passing failures become `Temporary`
    """
    status = answer.status
    if status == 429:
        kind = ErrorKind.RATE_LIMITED
    elif status == 402:
        kind = ErrorKind.INSUFFICIENT_FUNDS
    elif status in (401, 403):
        kind = ErrorKind.AUTH
    elif status == 408 or (status in (500, 503) and answer.table()):
        kind = ErrorKind.UNAVAILABLE
    elif status >= 500 or status < 400:  # a redirect is not followed with a key
        kind = ErrorKind.UNAVAILABLE if asking else ErrorKind.UNKNOWN_OUTCOME
    else:
        kind = ErrorKind.INVALID_INPUT
    if asking and kind in (ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE):
        return temporary(kind, provider_message=provider_message, retry_after=answer.retry_after)
    return failure(kind, provider_message=provider_message, retry_after=answer.retry_after)


# --- Sending ---------------------------------------------------------------------------


async def _send(
    provider: str, method: str, url: str, *, headers: Mapping[str, str], seconds: float, **body: Any
) -> Answer:
    request = _request(provider, method, url, headers=headers, seconds=seconds, **body)
    async with asyncio.timeout(seconds):
        response = await pool.client(provider).send(request, stream=True)
        try:
            content = await _read(response, ANSWER_BYTES)
        finally:
            await response.aclose()
    return Answer(status=response.status_code, headers=response.headers, content=content)


async def _fetch(provider: str, url: str, limit: int) -> ResultImage:
    for _ in range(REDIRECTS + 1):
        request = _request(provider, "GET", url, headers={}, seconds=ASK_SECONDS)
        response = await pool.client(provider).send(request, stream=True)
        try:
            if response.is_redirect:
                if response.next_request is None:
                    raise _Unreadable("Its link is broken.")
                url = str(response.next_request.url)
                continue
            if response.status_code in (408, 429) or response.status_code >= 500:
                response.raise_for_status()
            if not response.is_success:
                raise _Unreadable("Its link has expired or is broken.")
            content = await _read(response, limit)
        finally:
            await response.aclose()
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        return ResultImage(content=content, content_type=kind)
    raise _Unreadable("Its link has too many redirects.")


def _request(
    provider: str, method: str, url: str, *, headers: Mapping[str, str], seconds: float, **body: Any
) -> httpx.Request:
    """Raises Forbidden for a forbidden URL, ProviderError (AUTH) for a key that no header can contain."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise failure(ErrorKind.AUTH)
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    try:
        client = pool.client(provider)
        request = client.build_request(method, url, headers=dict(headers), timeout=timeout, **body)
    except httpx.InvalidURL:
        raise policy.Forbidden("This is not a valid URL.") from None
    except OSError as error:  # the first client reads the certificates
        if is_shortage(error):
            raise not_sent() from error
        raise
    policy.check_url(str(request.url))  # as it will be sent, after httpx's normalization
    if isinstance(request.stream, httpx.ByteStream) and len(request.content) > PIECE:
        pieces = _Pieces(request.content)
        return httpx.Request(
            method, request.url, headers=request.headers, stream=pieces, extensions=request.extensions
        )
    return request


class _Pieces(httpx.AsyncByteStream):
    """A large body, written in pieces: all other requests wait while one write is encrypted."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), PIECE):
            yield self._content[start : start + PIECE]


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The decompressed body. Raises _Unreadable if it is larger than `limit` bytes."""
    too_large = _Unreadable(f"It is larger than {limit // 1024**2} MB.")
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > limit:
            raise too_large
    match response.headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return bytes(content)
        case "gzip":  # from servers that ignore Accept-Encoding
            unpacker = zlib.decompressobj(GZIP)
            try:
                unpacked = unpacker.decompress(content, limit + 1)
            except zlib.error as error:
                raise httpx.DecodingError("bad gzip") from error
            if len(unpacked) > limit:
                raise too_large
            if not unpacker.eof:
                raise httpx.DecodingError("the gzip has no end")
            return unpacked
    raise _Unreadable("It is compressed, which is not supported.")


def _lost(why: str) -> ProviderError:
    return failure(
        ErrorKind.UNAVAILABLE,
        message=f"The provider produced a result, but it could not be downloaded. {why}",
    )


def _never_connected(error: BaseException) -> bool:
    """Whether nothing was sent: name resolution, the connection or its encryption failed.

    httpx's own classes do not distinguish this: on this transport a server that hangs up in mid-request
    is a "connect timeout" too.
    """
    cause = error.__cause__ or error
    return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
