"""Connections to providers: httpx on aiohttp, one pool per provider and event loop."""

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

# Shorter than servers keep idle connections, so that none is closed while being used.
IDLE_SECONDS = 4.0
# Concurrent submits with images and downloads per provider: each holds its images in memory.
TRANSFERS = 32
DOWNLOADS = 16


class _Here:
    """The state of one event loop."""

    def __init__(self) -> None:
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.slots: dict[str, asyncio.Semaphore] = {}
        self.downloads: dict[str, asyncio.Semaphore] = {}
        self.tls = httpx.create_ssl_context()  # honours SSL_CERT_FILE


_here = PerLoop(_Here)


def slots(provider: str) -> AbstractAsyncContextManager[None]:
    """A slot for a submit with images to this provider."""
    return _here.get().slots.setdefault(provider, asyncio.Semaphore(TRANSFERS))


def downloads(provider: str) -> AbstractAsyncContextManager[None]:
    """A slot for a download of a result from this provider."""
    return _here.get().downloads.setdefault(provider, asyncio.Semaphore(DOWNLOADS))


def client(provider: str) -> httpx.AsyncClient:
    """The provider's client on this event loop. It keeps no cookies and requests no compression."""
    here = _here.get()
    if provider not in here.clients:
        session = aiohttp.ClientSession(
            # Callers limit the number of connections, not the pool: waiting in a pool is invisible.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=IDLE_SECONDS, resolver=_Resolver(), ssl=here.tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        here.clients[provider] = httpx.AsyncClient(
            transport=AiohttpTransport(client=session, verify=here.tls),
            # Images do not get smaller, and a few compressed bytes can expand to gigabytes.
            headers={"user-agent": "image-editor-portal", "accept-encoding": "identity"},
            # A provider's cookies would link the requests of different workspaces.
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
    """The portal's resolver for aiohttp."""

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
        """Nothing to close: its threads serve all event loops."""
