"""Looks up host names, and gives the addresses of a name only when all of them may be asked.

Everything that the portal asks outside is looked up here. Where requests may go is decided in `policy.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from editor.net import policy
from editor.shortage import raise_if_nothing_can_be_opened

THREADS = 8
_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV

# The addresses that a host name stands for. Raises OSError when there are none.
LookUp = Callable[[str], Awaitable[Sequence[str]]]


class SystemLookUp:
    """Looks names up as the system does, in a few threads of its own.

    A name server that never answers keeps these threads and no others.
    """

    def __init__(self, threads: str) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=threads)

    async def __call__(self, host: str) -> list[str]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host)


# Apart, so that names which people make up cannot hold up what goes to the providers.
for_people = SystemLookUp("names-of-people")
for_providers = SystemLookUp("names-of-providers")


async def addresses(host: str, *, look_up: LookUp, seconds: float | None = None) -> Sequence[str]:
    """The addresses of a host, all of which may be asked.

    Raises policy.Forbidden when one of them must not be, and OSError (TimeoutError) for a name
    that has none.
    """
    async with asyncio.timeout(seconds):
        found = await look_up(host)
    for address in found:
        policy.check_address(host, address)
    if not found:
        raise OSError("the name has no address")
    return found


def _addresses(host: str) -> list[str]:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return [host]
    try:
        # Of the families that this machine has; those of others could only get the name refused.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # a part of the name is empty or too long
        raise OSError(f"no such host: {host}") from error
    except OSError:
        raise_if_nothing_can_be_opened()
        raise
    # With the zone, as in fe80::1%eth0, which the address alone leaves out.
    return list(dict.fromkeys(socket.getnameinfo(place[4], _NUMERIC)[0] for place in found))
