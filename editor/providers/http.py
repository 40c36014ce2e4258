"""The one client that speaks to providers: httpx on aiohttp's connections, one pool a provider.

Three ways to ask, which differ in what a broken connection means:

    submit    may cost money and is sent once; unclear ends are UNKNOWN_OUTCOME
    ask       harmless, may be asked again; every failure of the connection is `Temporary`
    download  fetches a result, within limits; tried a few times

All raise `NotAsked` when it was this machine that had no descriptor or memory for a connection.

Where requests may go is decided in `editor/net/policy.py`, for the text of each URL and again
for every address that its host stands for.
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
ANSWER_BYTES = 256 * 1024**2  # of one answer; some carry images as base64
IMAGE_BYTES = 64 * 1024**2  # of one result
DOWNLOAD_PAUSES = (0.5, 2.0)  # seconds before the second and the third try
REDIRECTS = 3
PIECE = 256 * 1024  # bytes of a large body that are written at once
GZIP = 31  # zlib's number for it

# async with http.submitting(provider): a submit that carries images has one of the few places for them.
submitting = pool.places
close = pool.close

# All that can happen to a connection. aiohttp's own errors come through for answers that are no HTTP.
_BROKEN = (httpx.HTTPError, OSError, TimeoutError, aiohttp.ClientError)


class _Unreadable(Exception):
    """The answer is there and cannot be used; the text says why, for people."""


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
        except (ValueError, RecursionError):  # UnicodeDecodeError too
            return None

    def table(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
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
    """POST what may cost money, once. `body`: json=, content=, data= or files=, as httpx takes them.

    Raises ProviderError: UNAVAILABLE when nothing can have been sent, else UNKNOWN_OUTCOME.
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
    """Ask what may be asked again. Raises Temporary when there was no answer, or it was not asked."""
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
    """Fetch one result. No key is sent: results lie on other hosts.

    Raises ProviderError (UNAVAILABLE) when it is gone, too large or must not be fetched, and Temporary
    when it did not come in three tries.
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
    """What a status other than of success means where the provider's own code says nothing better.

    After a submit only the provider itself can say that it did not take the task: by 500 or 503 in
    its own form, which is JSON. Any other failure may be the word of a proxy before it.

    asking  the question was harmless: what may pass by itself becomes `Temporary`
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
    elif status >= 500 or status < 400:  # nobody follows a redirect with a key
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
    """Raises Forbidden for where it must not go, ProviderError (AUTH) for a key that no header can hold."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise failure(ErrorKind.AUTH)
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    try:
        client = pool.client(provider)
        request = client.build_request(method, url, headers=dict(headers), timeout=timeout, **body)
    except httpx.InvalidURL:
        raise policy.Forbidden("This is not a valid URL.") from None
    except OSError as error:  # the certificates are read for the first client
        if is_shortage(error):
            raise not_sent() from error
        raise
    policy.check_url(str(request.url))  # as it will be sent, not as it was written
    if isinstance(request.stream, httpx.ByteStream) and len(request.content) > PIECE:
        pieces = _Pieces(request.content)
        return httpx.Request(
            method, request.url, headers=request.headers, stream=pieces, extensions=request.extensions
        )
    return request


class _Pieces(httpx.AsyncByteStream):
    """A large body, written bit by bit: all other requests wait while one write is encrypted."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), PIECE):
            yield self._content[start : start + PIECE]


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, unpacked. Raises _Unreadable when it is larger than `limit` bytes."""
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
        case "gzip":  # from servers that never heed what we accept
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
    """Nothing was sent: the name, the connection or its encryption failed.

    httpx's own classes cannot tell: on this transport a server that hangs up in mid-request is a
    "connect timeout" too.
    """
    cause = error.__cause__ or error
    return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
