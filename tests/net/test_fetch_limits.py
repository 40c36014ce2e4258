"""A fetch stays within its time and size limits, whatever the server does."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from editor.net import policy
from editor.net.fetch import MAX_PIECES, Limits, fetch
from editor.net.transport import HEAD_BYTES
from tests.net.fetching import HOST, PATIENT, Authority, at, here, refusal
from tests.providers.clock import running_fast
from tests.providers.hostile import (
    BROKEN,
    Behaviour,
    Write,
    answers,
    drips,
    floods,
    hangs,
    hostile,
    sends,
)

MEGABYTE = 1024**2
SHORT = replace(PATIENT, seconds=0.4)
TOO_LARGE = "The image is too large: the limit is 1 MiB."
TOO_SLOW = "The image server took too long to send the image."
BROKE_OFF = "The connection to the image server was interrupted."
PACKED = "The server sent a compressed image, which is not supported."
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def host_allowed() -> Iterator[None]:
    policy.allow([HOST])
    yield
    policy.allow([])


async def message_for(authority: Authority, behaviour: Behaviour, limits: Limits = PATIENT) -> str:
    async with hostile(behaviour, tls=authority.server(HOST)) as server:
        return await refusal(at(HOST, server.url), trust=authority.trust, limits=limits)


# --- Size --------------------------------------------------------------------------------


async def test_the_allowed_number_of_bytes_is_accepted_and_not_one_more(authority: Authority):
    for length in (MEGABYTE, MEGABYTE + 1):
        async with hostile(answers(bytes(length)), tls=authority.server(HOST)) as server:
            url = at(HOST, server.url)
            if length == MEGABYTE:
                got = await fetch(url, limits=PATIENT, resolve=here(), tls=authority.trust)
                assert got[0] == bytes(length)
            else:
                assert await refusal(url, trust=authority.trust) == TOO_LARGE


async def test_a_body_announced_as_too_large_is_not_read(authority: Authority):
    behaviour = answers(b"x", length=2 * 1024**3, content_type="image/png")

    assert await message_for(authority, behaviour) == TOO_LARGE


async def forever_in_chunks(writer: Write) -> None:
    writer.write(CHUNKED)
    while True:
        writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("behaviour", [floods, forever_in_chunks])
async def test_an_endless_body_is_abandoned_at_the_limit(authority: Authority, behaviour: Behaviour):
    tracemalloc.start()
    try:
        assert await message_for(authority, behaviour) == TOO_LARGE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * MEGABYTE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
async def test_a_compressed_body_is_refused_and_not_decompressed(authority: Authority, coding: str):
    bomb = gzip.compress(bytes(100 * MEGABYTE))
    behaviour = answers(bomb, content_type="image/png", content_encoding=coding)

    assert await message_for(authority, behaviour) == PACKED


async def test_a_body_in_too_many_chunks_is_abandoned(authority: Authority):
    behaviour = sends(CHUNKED + b"1\r\nx\r\n" * (MAX_PIECES + 1) + b"0\r\n\r\n")

    message = await message_for(authority, behaviour)

    assert message == "The image server sent the image in too many small pieces."


async def test_other_work_continues_while_many_small_chunks_arrive(authority: Authority):
    behaviour = sends(CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with hostile(behaviour, tls=authority.server(HOST)) as server:
        counting = asyncio.create_task(count())
        got = await fetch(
            at(HOST, server.url),
            limits=PATIENT,
            resolve=here(),
            tls=authority.trust,
        )
        counting.cancel()

    assert got[0] == b"x" * 20_000
    assert turns >= 20_000


# --- Time --------------------------------------------------------------------------------


async def drips_a_head(writer: Write) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def says_that_it_goes_on(writer: Write) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("behaviour", [hangs, drips, drips_a_head, says_that_it_goes_on])
async def test_the_total_timeout_ends_every_kind_of_delay(authority: Authority, behaviour: Behaviour):
    async with hostile(behaviour, tls=authority.server(HOST)) as server:
        started = asyncio.get_running_loop().time()
        async with running_fast(once=lambda: server.requests):
            message = await refusal(at(HOST, server.url), trust=authority.trust, limits=PATIENT)
            assert asyncio.get_running_loop().time() - started >= PATIENT.seconds

    assert message == TOO_SLOW


async def test_redirects_share_one_timeout(authority: Authority):
    async def slow(writer: Write) -> None:
        await asyncio.sleep(SHORT.seconds / 3)
        await answers(b"", "302 Found", location="/on")(writer)

    assert await message_for(authority, slow, SHORT) == TOO_SLOW


async def test_a_tls_handshake_that_never_begins_is_abandoned(authority: Authority):
    async with hostile(hangs) as server:
        limits = replace(PATIENT, connect_seconds=0.2)
        message = await refusal(at(HOST, server.url), trust=authority.trust, limits=limits)

    assert message == "The image server could not be reached."


# --- Malformed responses -----------------------------------------------------------------

UNREADABLE = {
    **{name: (behaviour, BROKE_OFF) for name, behaviour in BROKEN.items()},
    "a bad gzip": (BROKEN["a bad gzip"], PACKED),
    "an endless head": (sends(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 500_000 + b"\r\n\r\n"), BROKE_OFF),
    "two lengths": (sends(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"), BROKE_OFF),
    "nothing but hints": (sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), BROKE_OFF),
}


@pytest.mark.parametrize(("behaviour", "message"), UNREADABLE.values(), ids=UNREADABLE)
async def test_a_malformed_response_is_refused(authority: Authority, behaviour: Behaviour, message: str):
    assert await message_for(authority, behaviour) == message


async def test_a_flood_of_interim_responses_is_abandoned_at_once(authority: Authority):
    flood = b"HTTP/1.1 100 Continue\r\n\r\n" * 2000
    assert len(flood) > HEAD_BYTES

    sent = 0

    async def goes_on_and_on(writer: Write) -> None:
        nonlocal sent
        while True:
            sent += len(flood)
            writer.write(flood)
            await writer.drain()

    assert await message_for(authority, goes_on_and_on) == BROKE_OFF
    assert sent < 16 * MEGABYTE  # as much as may be in flight when the connection is closed


async def test_a_long_head_is_accepted_together_with_bytes_of_the_picture(authority: Authority):
    picture = bytes(range(256)) * 256
    good = answers(picture, x_padding="x" * (HEAD_BYTES - 1024))
    async with hostile(good, tls=authority.server(HOST)) as server:
        got = await fetch(at(HOST, server.url), limits=PATIENT, resolve=here(), tls=authority.trust)
    assert got[0] == picture
