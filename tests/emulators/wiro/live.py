"""Wiro's socket: a client sends the token of a task and receives every status as it changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.emulators.records import Task
from tests.emulators.wiro.states import REASONS, STATUSES, TERMINAL, State

LOOK_EVERY = 0.01  # seconds


@dataclass(frozen=True)
class View:
    """The current state of a task."""

    state: State
    percentage: int
    files: list[dict[str, Any]]


Look = Callable[[Task], View]
Send = Callable[..., Awaitable[None]]


async def serve(socket: WebSocket, *, find: Callable[[str], Task | None], look: Look, mode: str) -> None:
    """One connection; see Wiro.socket for `mode`."""
    await socket.accept()
    await socket.send_json({"type": "connected", "version": "1.0"})
    reported: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            frame = _read(await socket.receive())
            if frame.get("type") != "task_info" or mode == "silent":
                continue
            if mode == "closes":
                await socket.close()
                return
            token = frame.get("tasktoken")
            if not isinstance(token, str) or not token:
                await socket.send_json({"type": "error", "message": "tasktoken-required", "result": False})
                continue
            task = find(token)
            if task is not None and token not in reported:
                reported[token] = asyncio.create_task(_tell(socket, task, look))
    except WebSocketDisconnect:
        pass
    finally:
        for each in reported.values():
            each.cancel()


def _read(message: Any) -> dict[str, Any]:
    """The JSON object of a text frame; {} for anything else, which is silently ignored."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    try:
        frame = json.loads(message.get("text") or "")
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


async def _tell(socket: WebSocket, task: Task, look: Look) -> None:
    """Send the current status, and every later one in order, also those passed between two polls."""

    async def send(kind: str, message: Any = None) -> None:
        frame = {"type": kind, "id": task.id, "tasktoken": task.token, "message": message, "result": True}
        await socket.send_json(frame)

    stderr = REASONS.get(task.fault, "") if task.fault else ""
    last, percentage = "", 0
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client may disconnect at any time
        while last not in TERMINAL:
            view = look(task)
            status = view.state.status
            if status in STATUSES and status != last:
                new = STATUSES.index(status)
                start = STATUSES.index(last) + 1 if last in STATUSES else new
                for each in STATUSES[start : new + 1]:
                    await _send_status(send, each, view, stderr)
            elif status in ("task_cancel", "task_error"):
                await send(status, view.state.reason or "cancelled")
            elif status == "task_output" and view.percentage > percentage:
                progress = _progress(view.percentage)  # sent as an object or as its text
                await send(status, json.dumps(progress) if view.percentage % 2 else progress)
            last, percentage = status, view.percentage
            task.notes["told"] = (status, percentage)
            await asyncio.sleep(LOOK_EVERY)


async def _send_status(send: Send, status: str, view: View, stderr: str) -> None:
    match status:
        case "task_output":
            await send(status, "Loading the model")
        case "task_output_full":
            await send(status, {"raw": "Loading the model\n"})
        case "task_end" if stderr:
            await send("task_error", stderr)
            await send("task_error_full", {"raw": stderr})
            await send(status)
        case "task_postprocess_end":
            keys = ("name", "contenttype", "size", "url")
            await send(status, [{key: each[key] for key in keys} for each in view.files])
        case _:
            await send(status)


def _progress(percentage: int) -> dict[str, str]:
    return {
        "type": "progressGenerate",
        "task": "Generate",
        "percentage": str(percentage),
        "stepCurrent": str(percentage // 4),
        "stepTotal": "25",
        "speed": "1.2",
        "speedType": "it/s",
        "elapsedTime": "5s",
        "remainingTime": "3s",
    }
