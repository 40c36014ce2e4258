"""Names are resolved in dedicated threads, and all their addresses are checked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from editor.net import policy, pool, resolver
from tests.net.fetching import HOST
from tests.patience import PATIENCE, until

PUBLIC, PRIVATE = "8.8.8.8", "10.0.0.1"


def found(*addresses: str) -> list[Any]:
    """The system's answer."""
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, 0))
        if ":" in address
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
        for address in addresses
    ]


@pytest.fixture(autouse=True)
def nothing_exempt() -> Iterator[None]:
    policy.allow([])
    yield
    policy.allow([])


async def test_each_address_is_returned_once_in_the_systems_order(monkeypatch: pytest.MonkeyPatch):
    answer = found("2606:4700::1111", PUBLIC, "2606:4700::1111")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *requested, **how: answer)

    assert await resolver.addresses(HOST, look_up=resolver.for_people) == ["2606:4700::1111", PUBLIC]


@pytest.mark.parametrize("look_up", [resolver.for_people, resolver.for_providers])
async def test_one_forbidden_address_is_enough_to_refuse_a_name(
    look_up: resolver.LookUp, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *requested, **how: found(PUBLIC, PRIVATE))

    with pytest.raises(policy.Forbidden):
        await resolver.addresses(HOST, look_up=look_up)


async def test_providers_connections_use_only_checked_addresses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *requested, **how: found(PUBLIC, PRIVATE))

    with pytest.raises(policy.Forbidden):
        await pool._Resolver().resolve(HOST, 443)

    policy.allow(["10.0.0.0/8"])
    assert [each["host"] for each in await pool._Resolver().resolve(HOST, 443)] == [PUBLIC, PRIVATE]


async def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch):
    """With its own address families, the system returns no address of another family."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *requested, **how: found())
    policy.allow(["::1"])

    assert await resolver.addresses("::1", look_up=resolver.for_people) == ["::1"]


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
async def test_an_invalid_name_has_no_address(host: str):
    with pytest.raises(OSError, match="no such host"):
        await resolver.addresses(host, look_up=resolver.for_providers)


async def test_unanswered_lookups_for_users_do_not_delay_providers(monkeypatch: pytest.MonkeyPatch):
    silent, requested = threading.Event(), []

    def answer(host: str, *rest: Any, **how: Any) -> list[Any]:
        requested.append(host)
        if host != HOST:
            silent.wait()
        return found(PUBLIC)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    hosts = [f"{number}.example" for number in range(2 * resolver.THREADS)]
    waiting = [asyncio.create_task(resolver.addresses(host, look_up=resolver.for_people)) for host in hosts]
    try:
        await until(lambda: len(requested) == resolver.THREADS)
        look_up = resolver.addresses(HOST, look_up=resolver.for_providers)
        assert await asyncio.wait_for(look_up, PATIENCE) == [PUBLIC]
        assert not any(task.done() for task in waiting)
    finally:
        silent.set()
        await asyncio.gather(*waiting)
    assert sorted(requested) == sorted([*hosts, HOST])
