"""The WebSocket of Wiro's clients: task frames, subscriptions, limits, and invalid input."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from editor.access import task_tokens
from editor.access.actor import Actor
from editor.compat.wiro import consumer
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.models import Job
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from imageeditor.asgi import application
from tests.factories import make_actor, make_image
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("committed")

STATES = (
    "task_queue task_accept task_assign task_preprocess_start task_preprocess_end task_start task_output "
    "task_end task_postprocess_start task_postprocess_end"
).split()


class Socket:
    """The client's end of a connection."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator

    async def send(self, text: str) -> None:
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def subscribe(self, token: object) -> None:
        await self.send(json.dumps({"type": "task_info", "tasktoken": token}))

    async def output(self) -> dict[str, Any]:
        output: dict[str, Any] = await self.communicator.receive_output(PATIENCE)
        return output

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads((await self.output())["text"])
        return frame

    async def frames_of_task(self) -> list[dict[str, Any]]:
        """The frames of one task until its last."""
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] not in ("task_postprocess_end", "task_cancel"):
            frames.append(await self.next())
        return frames

    async def has_no_more_frames(self) -> bool:
        """Whether the next frame is the error for an invalid one that is sent now."""
        await self.send("x")
        return (await self.next())["message"] == "frame-invalid"

    async def rest(self) -> list[dict[str, Any]]:
        """The frames until the connection is closed, which happens after the end of all tasks."""
        frames = []
        while (output := await self.output())["type"] != "websocket.close":
            frames.append(json.loads(output["text"]))
        return frames


@asynccontextmanager
async def connected(*, path: str = "/ws/v1", host: bytes = b"localhost") -> AsyncIterator[Socket]:
    """Connect as a program does: without Origin and cookies."""
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", host)],
        "subprotocols": [],
    }
    socket = Socket(ApplicationCommunicator(application, scope))
    await socket.communicator.send_input({"type": "websocket.connect"})
    assert (await socket.output())["type"] == "websocket.accept"
    assert await socket.next() == {"type": "connected", "version": "1.0"}
    yield socket
    await socket.communicator.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.communicator.wait(PATIENCE)


def submit(actor: Actor, prompt: str = "make it black and white") -> Job:
    return jobs.submit(actor=actor, request=NewEdit(prompt=prompt, image_ids=(make_image(actor).id,)))


@pytest.fixture
async def actor() -> Actor:
    return await in_thread(make_actor)


@pytest.fixture(autouse=True)
def idle_connections_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "IDLE_SECONDS", 2 * PATIENCE)


@pytest.mark.parametrize("path", ["/ws/v1", "/v1"])
async def test_steps_are_sent_as_they_happen_and_replayed_to_late_subscribers(
    actor: Actor, path: str
) -> None:
    job = await in_thread(submit, actor, "[slow:1] make it black and white")
    token = task_tokens.make(job.id)
    async with connected(path=path) as early:
        await early.subscribe(token)
        assert (await early.next())["type"] == "task_queue"
        running = asyncio.create_task(execution.run(job.id))
        frames = await early.frames_of_task()
        await running
    async with connected(path=path) as late:
        await late.subscribe(token)
        assert (await late.frames_of_task())[1:] == frames
    assert list(dict.fromkeys(frame["type"] for frame in frames)) == STATES[1:]
    assert {(frame["id"], frame["tasktoken"], frame["result"]) for frame in frames} == {
        (str(job.number), token, True)
    }
    percents = [int(frame["message"]["percentage"]) for frame in frames if frame["type"] == "task_output"]
    assert percents == sorted(percents) and percents[-1] == 100
    (output,) = frames[-1]["message"]
    assert (output["name"], output["contenttype"]) == ("0.jpg", "image/jpeg")
    assert output["url"].startswith("http://localhost/i/")


async def test_links_begin_with_a_base_url_that_was_set_later(actor: Actor, settings: Settings) -> None:
    job = await in_thread(submit, actor, "make it black and white")
    await execution.run(job.id)
    await Job.objects.aupdate(origin="http://portal.internal:8017")
    settings.BASE_URL = "https://images.example.com:8443"
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(job.id))
        (output,) = (await socket.frames_of_task())[-1]["message"]
    assert output["url"].startswith("https://images.example.com:8443/i/")


async def test_a_failure_is_sent_with_its_message_and_without_files(actor: Actor) -> None:
    job = await in_thread(submit, actor, "[fail] make it black and white")
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(job.id))
        await execution.run(job.id)
        frames = await socket.frames_of_task()
    assert [(frame["type"], bool(frame["message"])) for frame in frames[-2:]] == [
        ("task_error", True),
        ("task_postprocess_end", False),
    ]


async def test_a_canceled_task_ends_with_task_cancel(actor: Actor) -> None:
    job = await in_thread(submit, actor)
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(job.id))
        assert (await socket.next())["type"] == "task_queue"
        await in_thread(lambda: jobs.cancel(actor=actor, job=job))
        (frame,) = await socket.frames_of_task()
    assert (frame["type"], frame["message"]) == ("task_cancel", "cancelled")


async def test_several_tasks_are_sent_on_one_connection_each_once(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [await in_thread(submit, actor) for _ in range(2)]
    async with connected() as socket:
        for job in [*both, *both]:
            await socket.subscribe(task_tokens.make(job.id))
        found = [await socket.next() for _ in both]
        assert await socket.has_no_more_frames()
        monkeypatch.setattr(consumer, "IDLE_SECONDS", 0)
        for job in both:
            await in_thread(jobs.cancel, actor=actor, job=job)
        found += await socket.rest()
    steps = sorted((frame["id"], frame["type"]) for frame in found)
    assert steps == sorted((str(job.number), step) for job in both for step in ("task_queue", "task_cancel"))


async def test_invalid_tokens_are_ignored(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await in_thread(submit, actor)
    token = task_tokens.make(job.id)
    forged = [token[:-1] + ("a" if token[-1] != "a" else "b"), str(job.id), str(job.number), "x" * 30, "é"]
    async with connected() as socket:
        for text in (*forged, task_tokens.make(actor.user.pk)):
            await socket.subscribe(text)
        assert await socket.has_no_more_frames()
        await socket.subscribe(token)
        assert (await socket.next())["type"] == "task_queue"
        monkeypatch.setattr(consumer, "IDLE_SECONDS", 0)
        await in_thread(jobs.cancel, actor=actor, job=job)
        assert [frame["type"] for frame in await socket.rest()] == ["task_cancel"]


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", "5", "{", '{"type": NaN', "[" * 4000, '"\\ud800"'],
    ids=lambda text: text[:9],
)
async def test_an_invalid_frame_is_refused_and_the_next_is_processed(actor: Actor, text: str) -> None:
    job = await in_thread(submit, actor)
    async with connected() as socket:
        await socket.send(text)
        refused = await socket.next()
        assert (refused["type"], refused["message"], refused["result"]) == ("error", "frame-invalid", False)
        await socket.subscribe(task_tokens.make(job.id))
        assert (await socket.next())["type"] == "task_queue"


@pytest.mark.parametrize("token", [None, "", 5, [], {}])
async def test_a_subscription_without_a_token_is_refused(token: object) -> None:
    async with connected() as socket:
        await socket.subscribe(token)
        assert (await socket.next())["message"] == "tasktoken-required"


async def test_other_messages_and_bytes_are_ignored() -> None:
    async with connected() as socket:
        await socket.send('{"type": "task_session_end"}')
        await socket.send('{"type": ["task_info"]}')
        await socket.communicator.send_input({"type": "websocket.receive", "bytes": b"\x00\xff"})
        assert await socket.has_no_more_frames()


async def test_frames_are_limited_in_length_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as socket:
        await socket.send(" " * (consumer.LONGEST_FRAME + 1))
        assert await socket.output() == {"type": "websocket.close", "code": consumer.TOO_MUCH}
    monkeypatch.setattr(consumer, "MOST_FRAMES", 3)
    async with connected() as socket:
        for _ in range(4):
            await socket.send('{"type": "x"}')
        assert await socket.output() == {"type": "websocket.close", "code": consumer.TOO_MUCH}


async def test_a_connection_is_closed_once_and_sends_nothing_after_that(actor: Actor) -> None:
    job = await in_thread(submit, actor)
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(job.id))
        assert (await socket.next())["type"] == "task_queue"
        for _ in range(3):
            await socket.send(" " * (consumer.LONGEST_FRAME + 1))
        assert (await socket.output())["type"] == "websocket.close"
        await in_thread(lambda: jobs.cancel(actor=actor, job=job))
    assert socket.communicator.output_queue.empty()


async def test_the_tasks_of_a_connection_are_limited_until_they_end(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "MOST_TASKS", 1)
    first, second = [await in_thread(submit, actor) for _ in range(2)]
    async with connected() as socket:
        await socket.subscribe(task_tokens.make(first.id))
        assert (await socket.next())["id"] == str(first.number)
        await socket.subscribe(task_tokens.make(second.id))
        assert (await socket.next())["message"] == "too-many-tasks"
        await in_thread(lambda: jobs.cancel(actor=actor, job=first))
        assert (await socket.next())["type"] == "task_cancel"
        await socket.subscribe(task_tokens.make(second.id))
        assert (await socket.next())["id"] == str(second.number)


async def test_an_idle_connection_is_closed_unless_it_has_a_task(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as impatient:
        impatient.setattr(consumer, "IDLE_SECONDS", 0)
        async with connected() as socket:
            assert (await socket.output())["type"] == "websocket.close"
    both = [await in_thread(submit, actor) for _ in range(2)]
    async with connected() as socket:
        for job in both:
            await socket.subscribe(task_tokens.make(job.id))
            assert (await socket.next())["type"] == "task_queue"
        monkeypatch.setattr(consumer, "IDLE_SECONDS", 0)  # effective from the end of the next task
        await in_thread(jobs.cancel, actor=actor, job=both[0])
        assert (await socket.next())["type"] == "task_cancel"
        assert await socket.has_no_more_frames(), "it is open as long as the other task is"
        await in_thread(jobs.cancel, actor=actor, job=both[1])
        assert [frame["type"] for frame in await socket.rest()] == ["task_cancel"]


async def test_another_host_name_is_refused() -> None:
    communicator = ApplicationCommunicator(
        application,
        {
            "type": "websocket",
            "path": "/ws/v1",
            "query_string": b"",
            "headers": [(b"host", b"evil.example")],
            "subprotocols": [],
        },
    )
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(PATIENCE))["type"] == "websocket.close"
