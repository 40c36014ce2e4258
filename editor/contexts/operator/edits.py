"""The queue, and edits that failed, over all workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from editor import catalog
from editor.contexts.operator.figures import duration
from editor.contexts.operator.overview import queue_now, workers
from editor.models import Job
from editor.providers import registry
from editor.queries.operator import activity
from editor.queries.operator.activity import FAILURES


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an edit, `after` its submission."""

    at: datetime
    after: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An edit that failed. What it was about is the workspace's own business: there is no prompt here."""

    id: UUID
    at: datetime
    workspace: str
    workspace_id: UUID
    who: str
    model: str
    provider: str
    code: str
    error: str
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class EditsPage:
    waiting: int
    running: int
    oldest: str
    workers: str
    is_alive: bool
    webhooks: int
    mails: int
    failures: list[Failure]
    older: str


def edits_page(*, before: datetime | None) -> EditsPage:
    now = timezone.now()
    waiting, failed = queue_now(now), activity.failures(before=before)
    shown = failed[:FAILURES]
    last = shown[-1].finished_at if len(failed) > FAILURES else None
    return EditsPage(
        waiting=waiting.waiting,
        running=waiting.running,
        oldest=duration(now - waiting.oldest) if waiting.oldest else "–",
        workers=workers(waiting),
        is_alive=waiting.workers > 0,
        webhooks=waiting.others["webhooks"],
        mails=waiting.others["mails"],
        failures=[_failure(job) for job in shown],
        older=last.isoformat() if last else "",
    )


def _failure(job: Job) -> Failure:
    assert job.finished_at is not None
    model = catalog.catalog().models.get(job.model)
    provider = registry.providers().get(job.provider)
    return Failure(
        id=job.pk,
        at=job.finished_at,
        workspace=job.workspace.name,
        workspace_id=job.workspace_id,
        who=job.created_by.display_name if job.created_by else "Nobody any more",
        model=model.label if model else job.model,
        provider=provider.label if provider else job.provider,
        code=job.error_code,
        error=job.error,
        steps=[
            Step(
                at=event.created_at,
                after=_after(event.created_at - job.created_at),
                what=event.kind.removeprefix("task_").replace("_", " ").capitalize(),
                note=event.note,
            )
            for event in job.events.all()
        ],
    )


def _after(passed: timedelta) -> str:
    return f"{max(0.0, passed.total_seconds()):.1f} s"
