"""Events for the watchers of a workspace, or for one person's open pages.

They are published after commit and carry ids only: subscribers read the rows again, with the
permissions they have by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from editor.concurrency import threads

log = logging.getLogger("editor.events")


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job moved to its next step. `ended` is set for the last one only, so the end is published once."""

    type: ClassVar[str] = "job.changed"
    workspace_id: UUID
    job_id: UUID
    ended: bool = False


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """The workspace's credits changed outside a job: a grant or an adjustment."""

    type: ClassVar[str] = "balance.changed"
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A person is no longer a member of the workspace."""

    type: ClassVar[str] = "member.removed"
    workspace_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A session of the person ended, or the person changed: open pages check that theirs is still valid."""

    type: ClassVar[str] = "sessions.changed"
    user_id: UUID


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    """The person has a new notice (`notice_id`), or has read or lost some."""

    type: ClassVar[str] = "notices.changed"
    user_id: UUID
    notice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Someone's permissions or limits in the workspace changed, or an API key of theirs ended."""

    type: ClassVar[str] = "access.changed"
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class ApprovalChanged:
    """An approval was requested, answered or withdrawn, or its price changed."""

    type: ClassVar[str] = "approval.changed"
    workspace_id: UUID
    job_id: UUID


Event = (
    JobChanged
    | BalanceChanged
    | MemberRemoved
    | SessionsChanged
    | NoticesChanged
    | AccessChanged
    | ApprovalChanged
)


def group_name(workspace_id: UUID) -> str:
    """The channel layer's group that all watchers of a workspace join."""
    return f"workspace.{workspace_id.hex}"


def person_group(user_id: UUID) -> str:
    """The channel layer's group that all open pages of a person join."""
    return f"person.{user_id.hex}"


def publish(event: Event) -> None:
    """Send the event to its group once the current transaction is committed."""
    message: dict[str, str | bool] = {"type": event.type}
    if isinstance(event, SessionsChanged | NoticesChanged):
        group = person_group(event.user_id)
    else:
        group = group_name(event.workspace_id)
        message["workspace_id"] = str(event.workspace_id)
    if isinstance(event, JobChanged):
        message |= {"job_id": str(event.job_id), "ended": event.ended}
    if isinstance(event, NoticesChanged) and event.notice_id:
        message["notice_id"] = str(event.notice_id)
    if isinstance(event, ApprovalChanged):
        message["job_id"] = str(event.job_id)
    if isinstance(event, MemberRemoved):
        message["user_id"] = str(event.user_id)

    def send() -> None:
        if loop := threads.waiting_loop.get():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_begin_sending, group, message)
                return
        # No loop waits for this thread: create one for this message alone.
        async_to_sync(_send)(group, message)

    # The channel layer may fail; the committed work must not be undone or reported as failed.
    transaction.on_commit(send, robust=True)


_sending: set[asyncio.Task[None]] = set()  # an event loop keeps no strong references to its tasks


def _begin_sending(group: str, message: dict[str, str | bool]) -> None:
    """Called on the loop: a coroutine created elsewhere is never awaited if the loop ends first."""
    task = asyncio.get_running_loop().create_task(_send(group, message))
    _sending.add(task)
    task.add_done_callback(_sending.discard)


async def _send(group: str, message: dict[str, str | bool]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        await layer.group_send(group, message)
    except Exception:
        log.exception("could not send an event to open pages")


def lost_since() -> float | None:
    """Since when this process receives no events of others, in Unix seconds; None while it does.

    Members of the group redis.LIVE are notified of changes.
    """
    layer = get_channel_layer()
    return layer.lost_since() if hasattr(layer, "lost_since") else None


# The group of all workers, and the type of the messages to it.
WORKERS = "workers"
WAKE_UP = "task.wake_up"


async def wake_up(job_id: UUID) -> None:
    """Wake the worker that polls this job: its provider may have finished."""
    layer = get_channel_layer()
    if layer is not None:
        await layer.group_send(WORKERS, {"type": WAKE_UP, "job_id": str(job_id)})
