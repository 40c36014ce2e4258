"""Fetch a picture that a person named by URL: over https, from the public network, within limits.

Where requests may go is decided in `policy.py`, and how they are made in
`transport.py`; what the operator exempts is exempt here too, but never from https.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from editor.concurrency.per_loop import PerLoop
from editor.errors import InvalidInput
from editor.net import policy, resolver, transport
from editor.net.resolver import LookUp

MAX_URL = 2000  # characters
REDIRECTS = 3
AT_ONCE = 8  # each fetch holds its picture in memory
# A body in pieces of one byte each costs a thousand times the work of the same body in usual ones.
MAX_PIECES = 50_000

_OCTETS = "application/octet-stream"
# What servers call a picture -> its content type; the last three say nothing, so the bytes decide.
_CONTENT_TYPES = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/png": "image/png",
    "image/x-png": "image/png",
    "image/webp": "image/webp",
    "image/gif": "image/gif",
    _OCTETS: _OCTETS,
    "binary/octet-stream": _OCTETS,
    "": _OCTETS,
}
_HEADERS = {
    "user-agent": "image-editor-portal",
    "accept": "image/jpeg, image/png, image/webp, image/gif",
    # Pictures do not get smaller, and a few packed bytes can unfold to gigabytes.
    "accept-encoding": "identity",
    "connection": "close",
}


class NotFetched(InvalidInput):
    """There is no picture to be had at this URL; the message says why, for the person who named it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """content_bytes    of the picture
    seconds          for all of it, redirects too; waiting for a place does not count
    connect_seconds  for each connection, and again for its encryption
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
    """The bytes of the picture as they came, and their content type.

    The type is what the server calls it: image/jpeg, image/png, image/webp, image/gif, or
    application/octet-stream when it does not say. Nobody has looked at the bytes yet.

    tls  who is trusted to vouch for servers; None: the usual authorities, or those in SSL_CERT_FILE

    Raises NotFetched.
    """
    target = _target(url)
    async with _slots.get():
        try:
            async with asyncio.timeout(limits.seconds):
                return await _follow(
                    target, limits=limits, resolve=resolve, tls=tls or transport.usual_trust()
                )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise NotFetched("The image server took too long to send the image.") from error
        except (httpx.HTTPError, OSError) as error:
            raise NotFetched("The connection to the image server was interrupted.") from error


_slots = PerLoop(lambda: asyncio.Semaphore(AT_ONCE))


async def _follow(
    target: httpx.URL, *, limits: Limits, resolve: LookUp, tls: ssl.SSLContext
) -> tuple[bytes, str]:
    for _ in range(REDIRECTS + 1):
        addresses = await _addresses(target, resolve=resolve, seconds=limits.dns_seconds)
        async with (
            transport.Transport(tls) as client,
            aclosing(await _ask(client, target, addresses, limits=limits)) as response,
        ):
            if not response.has_redirect_location:
                content_type = _content_type(response)
                return await _read(response, limits.content_bytes), content_type
            target = _target(response.headers["location"], base=target)
    raise NotFetched("The image URL has too many redirects.")


def _target(text: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """The URL in the form in which it will be asked. Raises NotFetched for one that must not be.

    base  the URL whose answer named this one
    """
    if len(text) > MAX_URL:
        raise NotFetched(f"The image URL is longer than {MAX_URL} characters.")
    try:
        # Programs do not agree on what backslashes and control characters in a URL mean.
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
    """Where the host is, when it is nowhere that must not be asked."""
    try:
        return await resolver.addresses(transport.host_of(target), look_up=resolve, seconds=seconds)
    except (OSError, policy.Forbidden):  # TimeoutError too
        # The same words for all: which names there are in a private network is nobody's business.
        raise NotFetched("The host of the image URL does not exist or is not public.") from None


async def _ask(
    client: transport.Transport, target: httpx.URL, addresses: Sequence[str], *, limits: Limits
) -> httpx.Response:
    """The answer of the first address that can be reached, its body not yet read."""
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
    """What the server calls the picture. Raises NotFetched for an answer that holds none."""
    if response.status_code != 200:
        raise NotFetched(
            f"The image server responded with HTTP status {response.status_code} instead of an image."
        )
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise NotFetched("The server sent a compressed image, which is not supported.")
    name = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if name not in _CONTENT_TYPES:
        raise NotFetched("The image URL does not lead to a JPEG, PNG, WebP or GIF image.")
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
        await asyncio.sleep(0)  # the next piece may be here already, and others have work to do
    return bytes(content)
