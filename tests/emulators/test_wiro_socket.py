"""The socket of Wiro's emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.emulators.checks import http
from tests.emulators.faults import Fault
from tests.emulators.test_wiro import post, run
from tests.emulators.wiro import Wiro


@contextmanager
def listen(wiro: Wiro) -> Iterator[ClientConnection]:
    with connect(wiro.environment()["WIRO_SOCKET_URL"], open_timeout=60) as connection:
        assert json.loads(connection.recv(timeout=60)) == {"type": "connected", "version": "1.0"}
        yield connection


def frames(connection: ClientConnection, last: tuple[str, ...]) -> list[dict[str, Any]]:
    """All frames up to one of these types."""
    got: list[dict[str, Any]] = []
    while not got or got[-1]["type"] not in last:
        got.append(json.loads(connection.recv(timeout=60)))
    return got


def test_the_socket_sends_every_status(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    with listen(wiro) as connection:
        started = run(wiro)
        connection.send(json.dumps({"type": "nothing known"}))
        connection.send("no JSON")
        connection.send(json.dumps({"type": "task_info", "tasktoken": "unknown"}))
        connection.send(json.dumps({"type": "task_info"}))
        assert json.loads(connection.recv(timeout=60)) == {
            "type": "error",
            "message": "tasktoken-required",
            "result": False,
        }
        connection.send(json.dumps({"type": "task_info", "tasktoken": started["socketaccesstoken"]}))
        got = frames(connection, ("task_queue",))
        wiro.ahead = 40
        got += frames(connection, ("task_output",))
        for percent in (50, 61):
            wiro.ahead = percent
            got += frames(connection, ("task_output",))
        wiro.ahead = 100
        got += frames(connection, ("task_postprocess_end",))

    for frame in got:
        assert list(frame) == ["type", "id", "tasktoken", "message", "result"]
        assert (frame["id"], frame["result"]) == (started["taskid"], True)
    kinds = list(dict.fromkeys(frame["type"] for frame in got))
    assert kinds[-5:] == [
        "task_output",
        "task_output_full",
        "task_end",
        "task_postprocess_start",
        "task_postprocess_end",
    ]
    outputs = [frame["message"] for frame in got if frame["type"] == "task_output"]
    progress = [json.loads(each) if each[0] == "{" else each for each in outputs if isinstance(each, str)]
    assert progress[0] == "Loading the model"
    percentages = [int(each["percentage"]) for each in outputs if isinstance(each, dict)]
    assert percentages == [50]
    assert json.loads(outputs[2])["percentage"] == "61"  # sent as text
    [file] = got[-1]["message"]
    assert list(file) == ["name", "contenttype", "size", "url"]
    assert http.get(file["url"]).content == wiro.tasks[0].pictures[0].content


def test_a_late_subscriber_receives_the_end_of_each_task(wiro: Wiro):
    wiro.script.next_submit = [None, Fault.FAILED, Fault.NEVER_FINISHES]
    started = [run(wiro) for _ in range(3)]
    wiro.ahead += 1
    with listen(wiro) as connection:
        for each in started:
            connection.send(json.dumps({"type": "task_info", "tasktoken": each["socketaccesstoken"]}))
        first, second, third = (json.loads(connection.recv(timeout=60)) for _ in range(3))
        assert (first["type"], len(first["message"])) == ("task_postprocess_end", 1)
        assert (second["type"], second["message"]) == ("task_postprocess_end", [])
        assert third["type"] == "task_output"
        post(wiro, "Task/Kill", {"taskid": started[2]["taskid"]})
        assert frames(connection, ("task_cancel",))[-1]["message"] == "cancelled"


def test_the_socket_sends_stderr_before_a_failed_end(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    wiro.script.next_submit = [Fault.FAILED]
    with listen(wiro) as connection:
        token = run(wiro)["socketaccesstoken"]
        connection.send(json.dumps({"type": "task_info", "tasktoken": token}))
        got = frames(connection, ("task_queue",))
        wiro.ahead = 100
        got += frames(connection, ("task_postprocess_end",))

    kinds = [frame["type"] for frame in got]
    assert kinds.index("task_error") < kinds.index("task_error_full") < kinds.index("task_end")


def test_the_socket_may_be_silent_or_close(wiro: Wiro):
    frame = json.dumps({"type": "task_info", "tasktoken": run(wiro)["socketaccesstoken"]})
    wiro.socket = "silent"
    with listen(wiro) as connection:
        connection.send(frame)
        with pytest.raises(TimeoutError):
            connection.recv(timeout=0.1)
    wiro.socket = "closes"
    with listen(wiro) as connection:
        connection.send(frame)
        with pytest.raises(Exception, match="sent 1000"):
            connection.recv(timeout=60)
