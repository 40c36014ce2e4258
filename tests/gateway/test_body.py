"""Request bodies: limits of size, duration and number at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from editor.gateway import body
from editor.gateway.asgi import Scope
from editor.gateway.body import Body, BodySlots, TooLarge, TooSlow, pass_on, pass_on_without_body
from editor.gateway.profile import Headers
from tests.gateway.senders import Sender
from tests.providers.clock import running_fast


async def reads_all(scope: Scope, receive: Any, send: Any) -> None:
    """An app that responds with the length of the body, unless the client disconnected."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % length})


class Answer:
    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def send(self, message: Any) -> None:
        self.messages.append(message)


async def test_a_body_is_passed_on_piece_by_piece() -> None:
    answer = Answer()
    await pass_on(reads_all, {}, Body(Sender(b"123", b"45", complete=True).receive, limit=5), answer.send)
    assert answer.messages[1]["body"] == b"5"


async def test_a_body_without_length_that_exceeds_the_limit_is_refused() -> None:
    answer, sender = Answer(), Sender(*[b"x" * 10] * 100)
    with pytest.raises(TooLarge):
        await pass_on(reads_all, {}, Body(sender.receive, limit=25), answer.send)
    assert (sender.requested, answer.messages) == (3, [])


@pytest.mark.parametrize("declared", ["-1", "1e9", "12 34", "26", "9" * 50])
def test_an_invalid_or_too_large_length_is_refused(declared: str) -> None:
    headers = Headers({"headers": [(b"content-length", declared.encode())]})
    with pytest.raises(TooLarge):
        Body(Sender().receive, limit=25).check_length(headers)


async def test_a_stalled_body_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    answer = Answer()
    with pytest.raises(TooSlow):
        await pass_on(reads_all, {}, Body(Sender(b"x").receive, limit=25), answer.send)
    assert answer.messages == []


class Dripping(Sender):
    """Sends a byte now and then, endlessly."""

    every = 10.0  # seconds

    async def receive(self) -> Any:
        self.requested += 1
        await asyncio.sleep(self.every)
        return {"type": "http.request", "body": b"x", "more_body": True}


async def test_a_large_limit_does_not_extend_the_time_of_a_dripping_body() -> None:
    """Only received bytes extend the time: a byte now and then adds next to nothing."""
    dripping = Dripping()
    one = Body(dripping.receive, limit=27_000_000)
    async with running_fast(lambda: dripping.requested), BodySlots(most=1, each=1).slot("a", one):
        with pytest.raises(TooSlow):
            while True:
                await one.receive()
    assert dripping.requested <= body.BODY_SECONDS / Dripping.every + 1


async def test_a_sender_with_a_slot_times_out_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PIECE_SECONDS", 0.05)
    one = Body(Sender(b"x" * 10).receive, limit=25)
    async with BodySlots(most=1, each=1).slot("a", one):
        await one.receive()
        with pytest.raises(TooSlow):
            await one.receive()
    assert one._left > body.PIECE_SECONDS, "it was not all of its time that was over"


async def received(*, length: int, a_second: int, every: float = 10.0) -> Body:
    """A body of this length whose pieces come every so many seconds. Raises TooSlow."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    left = length

    async def receive() -> Any:
        nonlocal now, left
        now += every
        await asyncio.sleep(0)
        piece = bytes(min(left, round(a_second * every)))
        left -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    one = Body(receive, limit=27_000_000)
    with pytest.MonkeyPatch.context() as stopped:
        stopped.setattr(loop, "time", lambda: now)
        async with BodySlots(most=1, each=1).slot("a", one):
            while not one.complete:
                await one.receive()
    return one


@pytest.mark.parametrize(
    ("length", "a_second", "every"),
    [(13_700_000, 150_000, 1), (26_214_400, 17_000, 10), (26_214_400, 2_048, 10), (5_000_000, 1_024, 29)],
)
async def test_a_sender_that_goes_on_does_not_time_out(length: int, a_second: int, every: float) -> None:
    """However long it takes: the last one of these takes an hour and a half."""
    assert (await received(length=length, a_second=a_second, every=every))._received == length


async def test_a_sender_that_is_slower_than_a_kilobyte_a_second_times_out() -> None:
    with pytest.raises(TooSlow):
        await received(length=5_000_000, a_second=900)


async def test_what_was_sent_fast_buys_no_time_to_stop() -> None:
    """20 MB at once, then a byte now and then."""
    dripping = Dripping()
    pieces = iter([bytes(20_000_000)])

    async def receive() -> Any:
        piece = next(pieces, None)
        return (
            {"type": "http.request", "body": piece, "more_body": True} if piece else await dripping.receive()
        )

    one = Body(receive, limit=27_000_000)
    async with running_fast(lambda: dripping.requested), BodySlots(most=1, each=1).slot("a", one):
        with pytest.raises(TooSlow):
            while True:
                await one.receive()
    assert dripping.requested <= body.BODY_SECONDS / Dripping.every + 1


async def test_time_between_reads_does_not_count_as_the_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Body(Sender(b"x", b"y", complete=True).receive, limit=25)
    await one.receive()
    before = one._left
    await asyncio.sleep(0.05)
    await one.receive()
    assert before - one._left < 0.05
    assert one.complete


async def test_a_refusal_is_sent_before_the_body_and_closes_the_connection() -> None:
    answer, sender = Answer(), Sender(b"x" * 10, b"x" * 10, complete=True)
    requested: list[Scope] = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert sender.requested == 0
        requested.append(scope)
        await reads_all(scope, receive, send)

    headers = [(b"content-length", b"20"), (b"content-type", b"text/plain"), (b"cookie", b"a=b")]
    await pass_on_without_body(app, {"headers": headers}, sender.receive, answer.send)
    assert requested[0]["headers"] == [(b"cookie", b"a=b")]
    start, content, end = answer.messages
    assert (b"connection", b"close") in start["headers"]
    assert (content["body"], content["more_body"]) == (b"0", True)
    assert end["body"] == b""
    assert sender.requested == 2, "the rest was read, or the sender would not have got to the answer"


@pytest.mark.parametrize("name", ["IGNORED_SECONDS", "IGNORED_BYTES"])
async def test_the_discarded_body_of_a_refusal_is_limited(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(body, name, 0.05 if name == "IGNORED_SECONDS" else 25)
    answer, sender = Answer(), Sender(*[b"x" * 10] * 5)
    await pass_on_without_body(reads_all, {"headers": []}, sender.receive, answer.send)
    assert answer.messages[-1]["body"] == b""
    assert sender.requested == (6 if name == "IGNORED_SECONDS" else 3)


@pytest.mark.parametrize("pieces", [(b"x" * 30, b"y", b"z"), (b"x" * 10, b"x" * 20), (b"x" * 30,)])
async def test_what_is_left_of_a_refused_body_is_read_once(pieces: tuple[bytes, ...]) -> None:
    """A connection that is closed with unread bytes discards the response to them: a proxy then says 502."""
    sender = Sender(*pieces, complete=True)
    one = Body(sender.receive, limit=25)
    with pytest.raises(TooLarge):
        while True:
            await one.receive()
    await one.discard()
    assert sender.requested == len(pieces)
