"""The connections to providers: httpx on aiohttp's, one pool a provider and event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractAsyncContextManager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from editor.concurrency.per_loop import PerLoop
from editor.net import resolver

# Shorter than servers keep idle connections, so that none is closed in the moment it is used.
IDLE_SECONDS = 4.0
# Submits that carry images and downloads, at once and at one provider: each holds its images in memory.
TRANSFERS = 32
DOWNLOADS = 16


class _Here:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.places: dict[str, asyncio.Semaphore] = {}
        self.downloads: dict[str, asyncio.Semaphore] = {}
        self.tls = httpx.create_ssl_context()  # honours SSL_CERT_FILE


_here = PerLoop(_Here)


def places(provider: str) -> AbstractAsyncContextManager[None]:
    """One of the few for submits that carry images to this provider."""
    return _here.get().places.setdefault(provider, asyncio.Semaphore(TRANSFERS))


def downloads(provider: str) -> AbstractAsyncContextManager[None]:
    """One of the few for results of this provider."""
    return _here.get().downloads.setdefault(provider, asyncio.Semaphore(DOWNLOADS))


def client(provider: str) -> httpx.AsyncClient:
    """The provider's client on this event loop. It keeps no cookies and asks for no compression."""
    here = _here.get()
    if provider not in here.clients:
        session = aiohttp.ClientSession(
            # How many are open is bounded by who asks, not here: waiting in a pool is invisible.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_SECONDS, resolver=_Resolver(), ssl=here.tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        here.clients[provider] = httpx.AsyncClient(
            transport=AiohttpTransport(client=session, verify=here.tls),
            # Images do not get smaller, and a few packed bytes can unfold to gigabytes.
            headers={"user-agent": "image-editor-portal", "accept-encoding": "identity"},
            # A provider's cookies would tie the requests of different workspaces together.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
    return here.clients[provider]


async def close() -> None:
    """Close this event loop's connections."""
    here = _here.pop()
    if here:
        for each in here.clients.values():
            await each.aclose()


class _Resolver(AbstractResolver):
    """The portal's resolver in the shape that aiohttp knows."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await resolver.addresses(host, look_up=resolver.for_providers)
        ]

    async def close(self) -> None:
        """Its threads serve all event loops."""
