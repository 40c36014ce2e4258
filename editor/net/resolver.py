"""Resolves host names, and returns the addresses of a name only if all of them are allowed.

All outbound requests of the portal use this. `policy.py` decides where requests may go.
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

# Returns the addresses of a host name. Raises OSError if there are none.
LookUp = Callable[[str], Awaitable[Sequence[str]]]


class SystemLookUp:
    """Resolves names as the system does, in a few threads of its own.

    A name server that never responds blocks only these threads.
    """

    def __init__(self, threads: str) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=threads)

    async def __call__(self, host: str) -> list[str]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host)


# Separate, so that names from users cannot delay requests to providers.
for_people = SystemLookUp("names-of-people")
for_providers = SystemLookUp("names-of-providers")


async def addresses(host: str, *, look_up: LookUp, seconds: float | None = None) -> Sequence[str]:
    """The addresses of a host, all of them allowed.

    Raises policy.Forbidden if one of them is not, and OSError (TimeoutError) for a name without
    addresses.
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
        # Only address families that this machine has; others could only get the name rejected.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:  # a label of the name is empty or too long
        raise OSError(f"no such host: {host}") from error
    except OSError:
        raise_if_nothing_can_be_opened()
        raise
    # Includes the zone, as in fe80::1%eth0, which the address alone lacks.
    return list(dict.fromkeys(socket.getnameinfo(place[4], _NUMERIC)[0] for place in found))
