"""The JSON of kie's tasks: recordInfo, Kontext's record-info, and both callbacks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.emulators.faults import UNKNOWN_WORD, Fault
from tests.emulators.records import Task

UNKNOWN_FLAG = 7  # a successFlag that no contract defines
FLAGGED = "Your prompt was flagged by Website as violating content policies."
FAILURES = {
    Fault.FAILED: (500, "Internal server error"),
    Fault.PROMPT_MODERATED: (400, FLAGGED),
    Fault.RESULT_MODERATED: (501, "The generated image was blocked by the upstream safety filter."),
}


@dataclass(frozen=True)
class State:
    """`code` and `message` are those of a failure."""

    name: str
    code: int = 0
    message: str = ""


def state(task: Task, fault: Fault | None, *, fraction: float) -> State:
    """`fraction` is the share of the task's time that has passed."""
    if fault is Fault.UNKNOWN_STATUS:
        return State(UNKNOWN_WORD)
    if fraction < 1 or fault is Fault.NEVER_FINISHES:
        return State("waiting" if fraction < 0.1 else "queuing" if fraction < 0.25 else "generating")
    if "bad_input" in task.notes:
        return State("fail", 422, task.notes["bad_input"])
    if fault in FAILURES:
        return State("fail", *FAILURES[fault])
    return State("success")


def links(task: Task, origin: str) -> dict[str, str]:
    """The URLs of the result: one for 14 days, one for 10 minutes."""
    suffix = "jpg" if task.pictures[0].format == "jpeg" else "png"
    return {
        "result": f"{origin}/r/{task.token}.{suffix}",
        "origin": f"{origin}/r/{task.token}-origin.{suffix}",
    }


def record(task: Task, state: State, *, result_json: str) -> dict[str, Any]:
    """`data` of recordInfo. `result_json` is the resultJson of a success."""
    ended = state.name in ("success", "fail")
    times = _milliseconds(task)
    return {
        "taskId": task.id,
        "model": task.notes["model"],
        "state": state.name,
        "param": json.dumps(task.request, separators=(",", ":")),
        "resultJson": result_json if state.name == "success" else "",
        "failCode": str(state.code) if state.name == "fail" else "",
        "failMsg": state.message,
        "costTime": round(task.seconds * 1000) if ended else None,
        "completeTime": times["completeTime"] if ended else None,
        "createTime": times["createTime"],
        "updateTime": times["completeTime"] if ended else times["createTime"],
    }


def kontext_record(task: Task, state: State, *, urls: dict[str, str] | None) -> dict[str, Any]:
    """`data` of Kontext's record-info. `urls` are the links at a success, None for an empty one."""
    ended = state.name in ("success", "fail")
    response = None
    if state.name == "success":
        response = kontext_urls(urls)
    return {
        "taskId": task.id,
        "paramJson": json.dumps(task.request, separators=(",", ":")),
        "createTime": _day_and_time(task.at),
        "completeTime": _day_and_time(task.ends_at) if ended else None,
        "response": response,
        "successFlag": _flag(state),
        "errorCode": state.code,
        "errorMessage": state.message,
    }


def kontext_urls(urls: dict[str, str] | None) -> dict[str, str | None]:
    urls = urls or {}
    return {"originImageUrl": urls.get("origin"), "resultImageUrl": urls.get("result")}


def callback(task: Task, state: State, *, result_json: str) -> dict[str, Any]:
    """The body of a market task's callback; its costTime is in seconds."""
    data = record(task, state, result_json=result_json)
    if state.name == "fail":
        failed = _some(data, "taskId model state failCode failMsg param") | {"resultJson": None}
        return {"code": 501, "msg": "Playground task failed.", "data": failed}
    done = _some(data, "taskId model state param resultJson createTime completeTime updateTime")
    done |= {"consumeCredits": task.cost, "costTime": round(task.seconds)}
    return {"code": 200, "msg": "Playground task completed successfully.", "data": done}


def kontext_callback(task: Task, state: State, *, urls: dict[str, str] | None) -> dict[str, Any]:
    if state.name == "fail":
        # Only 200, 400, 500 and 501 occur here.
        code = state.code if state.code in (400, 500, 501) else 501
        return {"code": code, "msg": state.message, "data": {"taskId": task.id, "info": None}}
    info = kontext_urls(urls)
    return {
        "code": 200,
        "msg": "BFL image generated successfully.",
        "data": {"taskId": task.id, "info": info},
    }


def _some(data: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: data[name] for name in names.split()}


def _flag(state: State) -> int:
    if state.name == "success":
        return 1
    if state.name == "fail":
        return 2 if state.code == 400 else 3  # refused before, or failed after it was created
    return UNKNOWN_FLAG if state.name == UNKNOWN_WORD else 0


def _milliseconds(task: Task) -> dict[str, int]:
    created = round(task.at * 1000)
    return {"createTime": created, "completeTime": created + round(task.seconds * 1000)}


def _day_and_time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
