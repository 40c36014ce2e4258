"""Bodies that are too long are refused before they are read."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from imageeditor.body_limit import FILES_LIMIT, LIMIT, BodyLimit, Message, Receive, Send


async def reads_all(scope: Any, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def status_of(path: str, *, declared: str | None, chunks: int, size: int) -> tuple[int, int]:
    """The answer's status, and how many chunks were read before it."""
    sent: list[Message] = []
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * size, "more_body": read < chunks}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", declared.encode())] if declared is not None else []
    await BodyLimit(reads_all)({"type": "http", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], read


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/accounts/login/", LIMIT), ("/w/acme/upload/", FILES_LIMIT), ("/w/acme/run/", FILES_LIMIT)],
)
async def test_a_declared_length_beyond_the_limit_is_refused_unread(path: str, limit: int) -> None:
    assert await status_of(path, declared=str(limit + 1), chunks=1, size=1) == (413, 0)
    assert (await status_of(path, declared=str(limit), chunks=1, size=1))[0] == 200


async def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit() -> None:
    status, read = await status_of("/", declared=None, chunks=1000, size=LIMIT // 4)
    assert (status, read) == (413, 5)


@pytest.mark.parametrize("declared", ["-1", "1e9", "", "12 34"])
async def test_a_length_that_is_no_number_is_refused(declared: str) -> None:
    assert await status_of("/", declared=declared, chunks=1, size=1) == (413, 0)


async def test_a_body_that_finds_no_space_on_the_disk_is_told_so() -> None:
    sent: list[Message] = []

    async def keeps_it_on_a_full_disk(scope: Any, receive: Receive, send: Send) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def receive() -> Message:
        raise AssertionError("not asked for")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/w/acme/upload/", "headers": []}
    await BodyLimit(keeps_it_on_a_full_disk)(scope, receive, send)
    assert sent[0]["status"] == 503
    assert b"The portal&#x27;s disk is full" in sent[1]["body"]
