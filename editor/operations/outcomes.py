"""How a job ends: its state, its images, its credits or its approval in one transaction."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from editor import events, phrases
from editor.models import Approval, Job, JobEvent, Status, User
from editor.operations import approval_notices, audit, credits, edit_notices, images, queue, timeline

LARGEST_SEED = 2**63  # the limit of its column
_ENDS = {
    Approval.State.DECLINED: "approval.declined",
    Approval.State.LAPSED: "approval.lapsed",
    Approval.State.WITHDRAWN: "approval.withdrawn",
}
_UNANSWERED = "Nobody answered in time whether this edit may run. Ask again if you still need it."


def request_cancel(*, job: Job) -> None:
    """Cancel a live job whose row is locked: at once if it waits, or else the worker ends it."""
    if job.cancel_requested_at is None:
        job.cancel_requested_at = timezone.now()
        job.save(update_fields=["cancel_requested_at"])
        # The card loses its button at once; the code that ends the job publishes the end.
        events.publish(events.JobChanged(workspace_id=job.workspace_id, job_id=job.id))
    if job.status == Status.PENDING:
        end_canceled(job=job)
    queue.withdraw(job=job)


def end_waiting(
    *, job: Job, state: Approval.State, actor: audit.By = None, by: User | None = None, reason: str = ""
) -> None:
    """End a job that waits for an approval, and whose row is locked. Nothing is held for it.

    state   DECLINED, LAPSED or WITHDRAWN
    actor   who does this; None: the portal itself
    by      who declined, and `reason` why
    """
    now = timezone.now()
    approval = Approval.objects.get(job=job)
    approval.state, approval.decided_at, approval.decided_by, approval.reason = state, now, by, reason
    approval.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    withdrawn = state == Approval.State.WITHDRAWN
    error = _UNANSWERED if by is None else f"{by.display_name} declined it: {reason}"
    timeline.end(
        job=job,
        was=[Status.WAITING],
        status=Status.CANCELED if withdrawn else Status.FAILED,
        kind=JobEvent.Kind.CANCEL if withdrawn else JobEvent.Kind.ERROR,
        note="" if withdrawn else error,
        error_code="" if withdrawn else f"approval_{state}",
        error="" if withdrawn else error,
    )
    audit.record(
        workspace=approval.workspace,
        actor=actor,
        action=_ENDS[state],
        target=job.created_by.email if job.created_by else "",
        data={"job": job.pk, "amount": approval.price, "note": reason},
    )
    approval_notices.decided(approval=approval)
    events.publish(events.ApprovalChanged(workspace_id=job.workspace_id, job_id=job.pk))


@transaction.atomic
def end_canceled(*, job: Job) -> None:
    """End a job that a person canceled, and release its hold."""
    if timeline.end(job=job, status=Status.CANCELED, kind=JobEvent.Kind.CANCEL):
        credits.release(job=job)


@transaction.atomic
def end_failed(*, job: Job, code: str, message: str) -> None:
    """End a failed job and release its hold. `message` is shown to the person."""
    if timeline.end(
        job=job,
        status=Status.FAILED,
        kind=JobEvent.Kind.ERROR,
        note=message,
        error_code=code,
        error=message,
    ):
        credits.release(job=job)
        edit_notices.ended(job=job)


@transaction.atomic
def end_completed(
    *, job: Job, stored: list[images.Stored], seed: int | None, provider_cost: Decimal | None = None
) -> bool:
    """Make the results images of the workspace and settle the price.

    provider_cost  US dollars that the provider took, if it says

    A job that got fewer samples than requested pays only for those, and has a note about it. Returns
    False, and does nothing, if the job has already ended.
    """
    got = min(len(stored), job.samples)
    price = job.price if job.reduced_price is None else job.reduced_price
    cost = price * got // job.samples
    note = _shortfall(job=job, got=got, returned=job.price - cost)
    if not timeline.end(
        job=job,
        status=Status.COMPLETED,
        through=JobEvent.Kind.POSTPROCESS_START,
        kind=JobEvent.Kind.POSTPROCESS_END,
        note=note,
        charged=cost,
        provider_cost=provider_cost,
        error=note,
        seed=seed if seed is not None and abs(seed) < LARGEST_SEED else None,
    ):
        return False
    # The row is locked now; the person may have been deleted while the edit ran.
    job.refresh_from_db(fields=["created_by"])
    images.create_results(job=job, stored=stored)
    credits.settle(job=job, cost=cost)
    edit_notices.ended(job=job)
    return True


def _shortfall(*, job: Job, got: int, returned: int) -> str:
    """The note for a job that got fewer images than requested, or "". `returned`: credits."""
    if got >= job.samples:
        return ""
    text = f"{got} of {job.samples} images could be used."
    if not returned:
        return text
    return f"{text} {phrases.credits(returned)} refunded."
