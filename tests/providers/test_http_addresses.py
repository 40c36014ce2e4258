"""The outbound client never connects to an address of a private network, however it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from editor.net import policy
from editor.providers.base import ErrorKind
from tests.providers.calls import ask, download, failure, submit
from tests.providers.edits import is_final
from tests.providers.hostile import (
    answers,
    hostile,
)

pytestmark = pytest.mark.usefixtures("connections")

Call = Callable[[str], Awaitable[object]]


@pytest.mark.parametrize("call", [submit, ask, download])
@pytest.mark.parametrize("host", ["localhost", "2130706433", "127.1", "127.0.0.1.", "0x7f.1"])
async def test_a_name_of_the_local_machine_is_never_requested(call: Call, host: str):
    """Nothing is exempt, not even the address itself."""
    policy.allow([])
    async with hostile(answers()) as server:
        port = server.url.rpartition(":")[2]
        for url in (f"https://{host}/", f"https://{host}:{port}/", f"http://{host}:{port}/"):
            assert is_final(await failure(call(url)), ErrorKind.UNAVAILABLE)

    assert server.connections == 0


async def test_a_host_that_is_exempt_is_requested_by_its_name():
    policy.allow(["localhost"])
    async with hostile(answers()) as server:
        assert (await ask(server.url.replace("127.0.0.1", "localhost"))).ok


@pytest.mark.parametrize("call", [submit, ask, download])
@pytest.mark.parametrize(
    "url", ["", "no url", "https://", "https://[::1", "https://a:b/", "https://exa mple/"]
)
async def test_an_invalid_url_is_refused(call: Call, url: str):
    assert is_final(await failure(call(url)), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("call", [submit, ask, download])
@pytest.mark.parametrize(
    "host", ["127。0。0。1", "%31%32%37.0.0.1", "127.0.0.%31", "1.1.1.1%.example.com", "[fe80::1%25eth0]"]
)
async def test_spellings_that_other_parsers_read_as_addresses_are_refused(call: Call, host: str):
    policy.allow([])

    assert is_final(await failure(call(f"https://{host}/")), ErrorKind.UNAVAILABLE)
