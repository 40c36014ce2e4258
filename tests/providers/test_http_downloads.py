"""The outbound client: downloads within limits, whatever the server does."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import pytest

from editor.net import pool
from editor.providers import http
from editor.providers.base import ErrorKind, ResultImage
from tests.providers.calls import MEGABYTE, ask, download, failure, submit
from tests.providers.clock import running_fast
from tests.providers.edits import is_final, is_temporary
from tests.providers.hostile import (
    BROKEN,
    Behaviour,
    answers,
    drips,
    floods,
    hostile,
)


@pytest.fixture(autouse=True)
def short_pauses(connections: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DOWNLOAD_PAUSES", (0.01, 0.01))


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
async def test_a_download_that_breaks_off_is_retried(behaviour: Behaviour):
    async with hostile(behaviour, answers(b"picture", content_type="image/png; x=y")) as server:
        got = await download(server.url)

    assert got == ResultImage(b"picture", "image/png")


def gzip_bomb() -> bytes:
    """A gigabyte of zeros in a megabyte of gzip."""
    packer = zlib.compressobj(9, wbits=-15)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    block = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Without the length and checksum at the end: no reader gets that far.
    return head + block * 1024 + packer.flush()


def brotli_bomb() -> bytes:
    """The same within a few bytes."""
    packer = brotli.Compressor(quality=1)
    block = bytes(MEGABYTE)
    return b"".join(packer.process(block) for _ in range(256)) + packer.finish()


@pytest.mark.parametrize(
    ("coding", "make"),
    [
        ("gzip", gzip_bomb),
        ("gzip, gzip", lambda: gzip.compress(gzip_bomb())),
        ("br", brotli_bomb),
    ],
)
async def test_a_bomb_does_not_fill_the_memory(coding: str, make: Callable[[], bytes]):
    bomb = make()
    async with hostile(answers(bomb, content_encoding=coding)) as server:
        tracemalloc.start()
        try:
            error = await failure(http.download("test", server.url, limit=4 * MEGABYTE))
            assert tracemalloc.get_traced_memory()[1] < 20 * MEGABYTE
        finally:
            tracemalloc.stop()

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert len(server.requests) == 1


async def test_a_response_compressed_without_request_is_read():
    async with hostile(answers(gzip.compress(b'{"a": 1}'), content_encoding="gzip")) as server:
        assert (await ask(server.url)).table() == {"a": 1}
        [request] = server.requests

    assert b"accept-encoding: identity\r\n" in request.lower()


@pytest.mark.parametrize(
    "behaviour", [answers(b"x", length=MEGABYTE + 1), floods, answers(bytes(MEGABYTE + 1))]
)
async def test_a_result_beyond_the_limit_is_refused_at_once(behaviour: Behaviour):
    async with hostile(behaviour) as server:
        error = await failure(download(server.url))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "larger than 1 MB" in error.message
    assert len(server.requests) == 1


async def test_a_submit_whose_response_is_too_large_has_an_unknown_outcome():
    async with hostile(answers(b"x", length=http.ANSWER_BYTES + 1)) as server:
        submitted = await failure(submit(server.url))
        requested = await failure(ask(server.url))

    assert is_final(submitted, ErrorKind.UNKNOWN_OUTCOME)
    assert is_final(requested, ErrorKind.UNAVAILABLE)
    assert "larger than 256 MB" in submitted.message


async def test_a_result_at_the_limit_is_accepted():
    async with hostile(answers(bytes(MEGABYTE))) as server:
        assert len((await download(server.url)).content) == MEGABYTE


@pytest.mark.parametrize("status", ["400 X", "401 X", "403 X", "404 X", "410 X"])
async def test_a_dead_link_is_not_retried(status: str):
    async with hostile(answers(status=status)) as server:
        error = await failure(download(server.url))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "expired" in error.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [answers(status="500 X"), answers(status="503 X"), answers(status="429 X"), BROKEN["half a body"], drips],
    ids=["500", "503", "429", "cut", "slow"],
)
async def test_after_three_tries_the_error_is_temporary(behaviour: Behaviour):
    async with (
        hostile(behaviour) as server,
        running_fast(once=lambda: behaviour is drips and len(server.requests) > server.closed, by=10),
    ):
        error = await failure(download(server.url))

    assert is_temporary(error)
    assert len(server.requests) == 3


async def test_a_download_from_a_host_without_a_server_may_be_retried():
    async with hostile(answers()) as server:
        url = server.url

    assert is_temporary(await failure(download(url)))


async def test_downloads_of_a_provider_do_not_wait_for_other_providers_or_submits():
    async with contextlib.AsyncExitStack() as places:
        for _ in range(pool.DOWNLOADS):
            await places.enter_async_context(pool.downloads("slow"))
        for _ in range(pool.TRANSFERS):
            await places.enter_async_context(http.submitting("test"))
        async with hostile(answers(b"picture")) as server, asyncio.timeout(60):
            assert (await download(server.url)).content == b"picture"


async def test_submits_with_images_have_limited_slots_per_provider():
    async with contextlib.AsyncExitStack() as places:
        for _ in range(pool.TRANSFERS):
            await places.enter_async_context(http.submitting("test"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), http.submitting("test"):
                pass
        async with asyncio.timeout(60), http.submitting("another"):
            pass
    async with asyncio.timeout(60), http.submitting("test"):
        pass


async def test_redirects_are_followed_a_few_times():
    async with hostile(answers(status="302 X", location="/image"), answers(b"picture")) as server:
        assert (await download(f"{server.url}/first")).content == b"picture"
    assert [request.split()[1] for request in server.requests] == [b"/first", b"/image"]

    async with hostile(answers(status="302 X", location="/again")) as ring:
        assert "too many redirects" in (await failure(download(ring.url))).message
    assert len(ring.requests) == 1 + http.REDIRECTS


@pytest.mark.parametrize(
    "location",
    [
        "https://10.0.0.1/x.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "http://example.com/x.png",
        "https://2130706433/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://user:password@example.com/",
        "https://exa mple.com/",
    ],
)
async def test_a_redirect_to_a_forbidden_address_is_refused(location: str):
    async with hostile(answers(status="302 X", location=location)) as server:
        error = await failure(download(server.url))

    assert is_final(error, ErrorKind.UNAVAILABLE)


async def test_a_redirect_without_a_location_is_refused():
    async with hostile(answers(status="302 X")) as server:
        assert is_final(await failure(download(server.url)), ErrorKind.UNAVAILABLE)


async def test_the_key_is_not_sent_with_a_download():
    async with hostile(answers()) as server:
        await ask(server.url)
        await download(server.url)

    requested, downloaded = server.requests
    assert b"x-key" in requested
    assert b"x-key" not in downloaded
