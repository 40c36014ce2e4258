"""Fetch an image from a user's URL: over https, from the public network, within limits.

`policy.py` decides where requests may go, and `transport.py` makes them. The operator's exemptions
apply here too, but never from https.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from editor.errors import InvalidInput
from editor.net import policy, resolver, transport
from editor.net.resolver import LookUp

MAX_URL = 2000  # characters
REDIRECTS = 3
# A body in pieces of one byte takes a thousand times the work of one in usual pieces.
MAX_PIECES = 50_000

_OCTETS = "application/octet-stream"
# A server's content type -> ours.
_CONTENT_TYPES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/pjpg": "image/jpeg",
    "image/png": "image/png",
    "image/x-png": "image/png",
    "image/webp": "image/webp",
    "image/gif": "image/gif",
    "image/heic": "image/heic",
    "image/heif": "image/heic",
    "image/avif": "image/avif",
    _OCTETS: _OCTETS,
    "binary/octet-stream": _OCTETS,
    "": _OCTETS,
}
_HEADERS = {
    "user-agent": "image-editor-portal",
    "accept": "image/jpeg, image/png, image/webp, image/gif, image/heic, image/avif",
    # Images do not get smaller, and a few compressed bytes can expand to gigabytes.
    "accept-encoding": "identity",
    "connection": "close",
}


class NotFetched(InvalidInput):
    """The image cannot be fetched from this URL; the message explains why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """content_bytes    of the image
    seconds          in total, including redirects
    connect_seconds  for each connection, and again for its TLS handshake
    dns_seconds      for each name
    """

    content_bytes: int
    seconds: float = 30.0
    connect_seconds: float = 5.0
    dns_seconds: float = 3.0


async def fetch(
    url: str,
    *,
    limits: Limits,
    resolve: LookUp = resolver.for_people,
    tls: ssl.SSLContext | None = None,
) -> tuple[bytes, str]:
    """The raw bytes of the image, and their content type.

    The type is the server's, an image type or application/octet-stream if it does not say. It may be wrong,
    and the bytes are unchecked. Callers limit how many fetches run at once: each holds its image in memory.

    tls  trusted certificate authorities; None: the usual ones, or those in SSL_CERT_FILE

    Raises NotFetched.
    """
    target = _target(url)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _follow(target, limits=limits, resolve=resolve, tls=tls or transport.usual_trust())
    except (TimeoutError, httpx.TimeoutException) as error:
        raise NotFetched("The image server took too long to send the image.") from error
    except (httpx.HTTPError, OSError) as error:
        raise NotFetched("The connection to the image server was interrupted.") from error


async def _follow(
    target: httpx.URL, *, limits: Limits, resolve: LookUp, tls: ssl.SSLContext
) -> tuple[bytes, str]:
    for _ in range(REDIRECTS + 1):
        addresses = await _addresses(target, resolve=resolve, seconds=limits.dns_seconds)
        async with (
            transport.Transport(tls) as client,
            aclosing(await _request(client, target, addresses, limits=limits)) as response,
        ):
            if not response.has_redirect_location:
                content_type = _content_type(response)
                return await _read(response, limits.content_bytes), content_type
            target = _target(response.headers["location"], base=target)
    raise NotFetched("The image URL has too many redirects.")


def _target(text: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """The URL to request, normalized. Raises NotFetched for one that is not allowed.

    base  the URL that redirected to this one
    """
    if len(text) > MAX_URL:
        raise NotFetched(f"The image URL is longer than {MAX_URL} characters.")
    try:
        # Parsers disagree on backslashes and control characters in URLs.
        if "\\" in text or not text.isprintable():
            raise ValueError
        url = base.join(text) if base else httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise NotFetched("The image URL is not a valid URL.") from None
    if url.scheme != "https":
        raise NotFetched("The image URL, and every URL it redirects to, must begin with https://.")
    try:
        policy.check_url(str(url))
    except policy.Forbidden as error:
        raise NotFetched(f"The image URL cannot be opened. {error.message}") from None
    return url


async def _addresses(target: httpx.URL, *, resolve: LookUp, seconds: float) -> Sequence[str]:
    """The addresses of the host. Raises NotFetched unless all of them are allowed."""
    try:
        return await resolver.addresses(transport.host_of(target), look_up=resolve, seconds=seconds)
    except (OSError, policy.Forbidden):  # TimeoutError too
        # The same message for all: it must not reveal which names exist in a private network.
        raise NotFetched("The host of the image URL does not exist or is not public.") from None


async def _request(
    client: transport.Transport, target: httpx.URL, addresses: Sequence[str], *, limits: Limits
) -> httpx.Response:
    """The response of the first reachable address, with its body not yet read."""
    try:
        return await transport.ask(
            client,
            "GET",
            target,
            addresses,
            headers=_HEADERS,
            seconds=limits.seconds,
            connect_seconds=limits.connect_seconds,
        )
    except transport.NotReached as error:
        what = "has no valid certificate" if error.untrusted else "could not be reached"
        raise NotFetched(f"The image server {what}.") from None


def _content_type(response: httpx.Response) -> str:
    """The server's content type. Raises NotFetched for a response without an image."""
    if response.status_code != 200:
        raise NotFetched(
            f"The image server responded with HTTP status {response.status_code} instead of an image."
        )
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise NotFetched("The server sent a compressed image, which is not supported.")
    name = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if name not in _CONTENT_TYPES:
        raise NotFetched("The image URL does not lead to a JPEG, PNG, WebP, GIF, HEIC or AVIF image.")
    return _CONTENT_TYPES[name]


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, of at most `limit` bytes. Raises NotFetched for a larger one."""
    too_large = NotFetched(f"The image is too large: the limit is {limit / 1024**2:g} MiB.")
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    content = bytearray()
    pieces = 0
    async for piece in response.aiter_raw():
        content += piece
        pieces += 1
        if len(content) > limit:
            raise too_large
        if pieces > MAX_PIECES:
            raise NotFetched("The image server sent the image in too many small pieces.")
        await asyncio.sleep(0)  # the next piece may already be here: let other tasks run
    return bytes(content)
