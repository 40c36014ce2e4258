"""Job cards and results, as shown by pages, htmx responses and sockets."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from editor import catalog, phrases
from editor.contexts.durations import elapsed
from editor.contexts.limits import LimitView, limit_view
from editor.contexts.versions import StageView, VersionView, stage_view, version_view
from editor.models import Job, JobEvent, Status, User, Workspace
from editor.operations.edit_notices import LONG
from editor.providers.sandbox.errors import ABILITIES, ABILITIES_SENTENCE
from editor.queries import credits, studio

Kind = JobEvent.Kind

# Full stops inside quoted words do not end it.
_FIRST_SENTENCE = re.compile(r"((?:“[^”]*”|[^.“])*\.)\s+(.+)", re.DOTALL)

_STEPS = (
    ("queued", "Queued"),
    ("sent", "Sent to provider"),
    ("generating", "Generating"),
    ("checking", "Safety check"),
    ("saving", "Saving"),
)
_STEP_OF = {
    Kind.QUEUE: "queued",
    Kind.ACCEPT: "sent",
    Kind.ASSIGN: "sent",
    Kind.PREPROCESS_START: "sent",
    Kind.PREPROCESS_END: "sent",
    Kind.START: "generating",
    Kind.OUTPUT: "generating",
    Kind.POSTPROCESS_START: "saving",
}


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    label: str
    state: str  # done, now, todo


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed edit, for the composer.

    summary        one sentence
    charge         what it cost
    details        the rest of the message; may be empty
    details_title  what the disclosure is about
    abilities      what the sandbox can do instead: kinds of edits with examples
    answered       it was declined, or nobody answered: running it again would not help
    parent_id      of an answered one: the image that it was to edit, unless that is in the trash
    """

    job_id: UUID
    summary: str
    charge: str
    details: str
    details_title: str
    long: bool
    abilities: Sequence[tuple[str, str]] = ()
    answered: bool = False
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    id: UUID
    prompt: str
    model_label: str
    source: VersionView | None
    elapsed: str
    masked: bool
    percent: int
    state: str  # waiting, running, completed, failed, canceled
    steps: list[Step]
    cancelable: bool
    error: str
    charge: str
    failure: Failure | None
    parent_id: UUID | None
    stage: StageView | None  # what the stage shows once it is completed
    announce: str
    credits: int
    mine: bool  # the viewer started it: only then may it take an empty stage, or notify
    long: bool  # worth a notification
    limit: LimitView | None = None  # for which it waits to be approved

    @property
    def result(self) -> VersionView | None:
        """The first result."""
        return self.stage.current if self.stage else None

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")


def job_view(workspace: Workspace, job: Job, *, viewer: User | None = None) -> JobView:
    """`job` as loaded by queries.studio, with its parent and results; makes no query."""
    state = "running" if job.is_live else str(job.status)
    steps = _steps(job)
    return JobView(
        id=job.id,
        prompt=job.prompt,
        model_label=_label(job.model),
        source=version_view(workspace, job.parent) if job.parent and not job.parent.trashed_at else None,
        elapsed=f"{elapsed(job).total_seconds():.1f} s",
        masked=getattr(job, "masked", False),
        percent=job.percent or 0,
        state=state,
        steps=steps,
        cancelable=not job.has_ended and job.cancel_requested_at is None,
        error=job.error,
        charge=_charge(job),
        failure=failure(job) if job.status == Status.FAILED else None,
        parent_id=job.parent_id,
        stage=_stage(workspace, job),
        announce=_announce(job, steps),
        credits=job.charged if job.has_ended else job.price,
        mine=viewer is not None and job.created_by_id == viewer.pk,
        long=elapsed(job) > LONG,
        limit=limit_view(workspace, job.approval) if job.status == Status.WAITING else None,
    )


def failure(job: Job) -> Failure:
    """A failed job, its message split after the first sentence; a person's answer stays whole."""
    answered = job.error_code.startswith("approval_")
    parts = None if answered else _FIRST_SENTENCE.fullmatch(job.error)
    details = parts[2] if parts else ""
    abilities = tuple(ABILITIES.items()) if ABILITIES_SENTENCE in details else ()
    return Failure(
        job_id=job.id,
        summary=parts[1] if parts else job.error,
        charge=_charge(job),
        details=" ".join(details.replace(ABILITIES_SENTENCE, "").split()),
        details_title="What the sandbox can do" if abilities else "Details",
        long=elapsed(job) > LONG,
        abilities=abilities,
        answered=answered,
        parent_id=job.parent_id if answered and job.parent and not job.parent.trashed_at else None,
    )


def live(
    workspace: Workspace, *, viewer: User | None = None, job_id: str | None = None, ended: bool = False
) -> dict[str, Any]:
    """Context of a push: the workspace's live cards and balance, and the job it is about, if any.

    A job may end before the message of an earlier step is rendered: that message is dropped
    here, or the end would be shown twice.
    """
    job = studio.job(workspace, job_id) if job_id else None
    if job is not None and job.has_ended != ended:
        job = None
    return {
        "workspace": workspace,
        "jobs": [job_view(workspace, row) for row in studio.live_jobs(workspace, viewer)],
        "balance": credits.balance(workspace),
        "job": job_view(workspace, job, viewer=viewer) if job else None,
    }


def snapshot(
    workspace: Workspace, *, viewer: User, since: datetime, reported: Collection[UUID] = ()
) -> dict[str, Any]:
    """A socket's first message, also after a reconnect: running jobs, and those that ended after `since`.

    reported  ids of jobs whose end the page already shows; they are left out
    """
    ended = [job for job in studio.ended_since(workspace, since) if job.id not in reported]
    finished = [job_view(workspace, job, viewer=viewer) for job in ended]
    return {**live(workspace, viewer=viewer), "finished": finished}


def step_now(job: Job) -> str:
    """Label of the current step of a running job."""
    return next(step.label for step in _steps(job) if step.state == "now")


def _label(model_id: str) -> str:
    """The model's label; its id if it is no longer in the catalogue."""
    model = catalog.catalog().models.get(model_id)
    return model.label if model else model_id


def _steps(job: Job) -> list[Step]:
    if job.status == Status.WAITING:
        return []
    if job.has_ended:
        return [Step(key, label, "done") for key, label in _STEPS]
    now = _STEP_OF.get(Kind(job.stage), "sent")
    if job.stage == Kind.OUTPUT and job.percent == 100:
        now = "checking"
    keys = [key for key, _ in _STEPS]
    at = keys.index(now)
    return [
        Step(key, label, "done" if place < at else "now" if place == at else "todo")
        for place, (key, label) in enumerate(_STEPS)
    ]


def _stage(workspace: Workspace, job: Job) -> StageView | None:
    results = [image for image in job.results.all() if not image.trashed_at]
    if job.status != Status.COMPLETED or not results:
        return None
    samples = [version_view(workspace, image) for image in results]
    shown = job.parent is not None and not job.parent.trashed_at
    return stage_view(
        workspace,
        samples[0],
        source=version_view(workspace, job.parent) if job.parent and shown else None,
        samples=samples,
        fresh=True,
    )


def _charge(job: Job) -> str:
    if not job.has_ended:
        return ""
    if job.charged:
        return f"{phrases.credits(job.charged)} charged."
    held = job.approved or getattr(job, "approval", None) is None
    if not job.price or not held:
        return "Nothing was charged."
    back = f"{phrases.credits(job.price)} refunded."
    return back if job.status == Status.CANCELED else f"Nothing was charged: {back}"


def _announce(job: Job, steps: list[Step]) -> str:
    """Milestones only: a screen reader should not read out each percent."""
    if job.status == Status.COMPLETED:
        return f"Edit ready: {job.prompt[:80]}"
    if job.status == Status.FAILED:
        return ""  # shown as an alert
    if job.status == Status.CANCELED:
        return f"Edit canceled. {_charge(job)}"
    if job.status == Status.WAITING:
        return "Waiting for approval"
    if job.stage == Kind.OUTPUT:
        return ""
    return next((step.label for step in steps if step.state == "now"), "")
