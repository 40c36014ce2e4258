"""Approvals of edits over a limit: requested, granted, declined, withdrawn or not answered in time.

An edit that waits is a job in the state `waiting`: nothing is held for it, and the queue does not know it.
Its row's lock covers its approval too, so that of several people who decide at once, one does.
Locks in their order: the account, the workspace, the job.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.access import permissions
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.catalog import validation
from editor.errors import Conflict, InvalidInput, LimitExceeded, PermissionDenied
from editor.models import Approval, Event, Job, Membership, Status
from editor.operations import (
    approval_notices,
    audit,
    credits,
    limits,
    member_rights,
    members,
    outcomes,
    starts,
)
from editor.operations.webhooks import deliveries
from editor.queries import approvals as queries
from editor.queries import pricing, usage_rules
from editor.queries.limits import Limit, today

State = Approval.State

LAPSES_AFTER = timedelta(days=7)
LONGEST_TEXT = 300  # characters of a message or a reason
MOST_WAITING = 20  # edits of one person in a workspace
_AT_ONCE = 500
_DECIDED = {
    State.GRANTED: "approved",
    State.DECLINED: "declined",
    State.LAPSED: "not answered in time",
    State.WITHDRAWN: "withdrawn",
}


def needed(*, actor: Actor, price: int, message: str | None) -> Limit | None:
    """The limit that an edit of this price has to be approved for; None if it may start at once.

    message  why the member asks for an approval; None: they do not
    Raises OverLimit if the edit may not run, InvalidInput for a message that is too long, and LimitExceeded
    if too many of the member's edits wait already.
    """
    if message is not None:
        _cleaned(message, "approval_message")
    over = limits.check_credits(actor=actor, price=price, asks=message is not None)
    if over and queries.waiting_of(actor.workspace, actor.user) >= MOST_WAITING:
        raise LimitExceeded(f"{MOST_WAITING} of your edits wait for an approval. Cancel one first.")
    return over


def request(*, actor: Actor, job: Job, limit: Limit, message: str) -> None:
    """Ask for an approval of a new job. Belongs to the transaction that creates it."""
    approval = Approval.objects.create(
        job=job,
        workspace=actor.workspace,
        limit=limit.kind,
        allowed=limit.allowed,
        used=limit.used,
        price=job.price,
        message=_cleaned(message, "approval_message"),
        expires_at=timezone.now() + LAPSES_AFTER,
    )
    _record(actor, "approval.requested", approval)
    deliveries.approval_changed(job=job, event=Event.APPROVAL_REQUESTED)
    events.publish(events.JobChanged(workspace_id=job.workspace_id, job_id=job.pk))
    events.publish(events.ApprovalChanged(workspace_id=job.workspace_id, job_id=job.pk))
    approval_notices.requested(approval=approval)


def approve(*, actor: Actor, job: Job, price: int, raise_cap: bool = False) -> None:
    """Let the edit run now, for the one who asked. It counts for the workspace, not against their limits.

    price      credits that the decider agrees to
    raise_cap  raise the asking member's monthly cap by the price as well

    Idempotent for one decider. Raises PermissionDenied, OverLimit for a budget, InsufficientCredits,
    LimitExceeded, and Conflict if it is decided, cannot run any more, or costs something else by now: then
    the new price is stored.
    """
    actor.require(Permission.APPROVE)
    with transaction.atomic():
        new_price = _approve(actor, job, price, raise_cap=raise_cap)
    if new_price != price:
        raise Conflict(
            f"The price of this edit has changed from {price:,} to {new_price:,} credits. "
            "Approve it again if it may cost that."
        )


@transaction.atomic
def decline(*, actor: Actor, job: Job, reason: str) -> None:
    """End the edit, and say why to the one who asked.

    Raises PermissionDenied, Conflict if it is decided, and InvalidInput for no reason or one too long.
    """
    actor = member_rights.lock(actor)
    actor.require(Permission.APPROVE)
    reason = _cleaned(reason, "reason")
    if not reason:
        problem = "Say why, so that they know what to change."
        raise InvalidInput(problem, fields={"reason": problem})
    approval = _lock(job)
    _check_open(approval, actor)
    outcomes.end_waiting(job=approval.job, state=State.DECLINED, actor=actor, by=actor.user, reason=reason)
    deliveries.approval_changed(job=approval.job, event=Event.APPROVAL_DECLINED)
    approval_notices.answered(approval=approval, by=actor, reason=reason)


def withdraw(*, actor: Actor, job: Job) -> None:
    """End an edit of one's own that waits, and whose row is locked. Raises PermissionDenied."""
    actor.require(Permission.EDIT)
    if job.created_by_id != actor.user.pk:
        raise PermissionDenied(
            "Only who asked for the approval can cancel this edit. An owner or admin can decline it."
        )
    outcomes.end_waiting(job=job, state=State.WITHDRAWN, actor=actor)


def lapse() -> int:
    """End the edits that nobody has answered for in time; returns how many."""
    due = Approval.objects.filter(state=State.WAITING, expires_at__lte=timezone.now())
    count = 0
    for pk in due.order_by("expires_at").values_list("pk", flat=True)[:_AT_ONCE]:
        with transaction.atomic():
            job = Job.objects.select_for_update(skip_locked=True, no_key=True).filter(
                pk=pk, status=Status.WAITING
            )
            for one in job:
                outcomes.end_waiting(job=one, state=State.LAPSED)
                approval_notices.answered(approval=one.approval, by=None, reason="")
                count += 1
    return count


def _approve(actor: Actor, job: Job, price: int, *, raise_cap: bool) -> int:
    """The price by now; the edit has started if that is `price`."""
    account = credits.lock_account(workspace_id=actor.workspace.pk)
    actor = member_rights.lock(actor)
    actor.require(Permission.APPROVE)
    approval = _lock(job)
    if approval.state == State.GRANTED and approval.decided_by_id == actor.user.pk:
        return price
    _check_open(approval, actor)
    job = approval.job
    limits.check_open(workspace=job.workspace)
    asking = _asking(job)
    choice = pricing.of_job(job, rules=usage_rules.of_role(job.workspace, asking.role))
    if choice.refusal:
        raise Conflict("The rules of this workspace do not allow this edit now. Change them, or decline it.")
    new_price = pricing.price(choice=choice, inputs=job.inputs)
    if new_price != price:
        _store_price(approval, new_price)
        return new_price
    limits.check_approved(job=job, price=price)
    in_flight = limits.check_jobs(workspace=job.workspace)
    approval.state, approval.decided_at, approval.decided_by = State.GRANTED, timezone.now(), actor.user
    approval.price = price
    if raise_cap and asking.monthly_cap is not None:
        members.change(actor=actor, membership=asking, monthly_cap=asking.monthly_cap + price)
        approval.raised_by = price
    approval.save()
    starts.start(
        account=account,
        job=job,
        in_flight=in_flight,
        was=[Status.WAITING],
        status=Status.PENDING,
        approved=True,
        price=price,
        spent_on=today(job.workspace),
        provider=choice.route.provider,
        target=choice.route.target,
    )
    _record(actor, "approval.granted", approval)
    deliveries.approval_changed(job=job, event=Event.APPROVAL_GRANTED)
    events.publish(events.ApprovalChanged(workspace_id=job.workspace_id, job_id=job.pk))
    approval_notices.decided(approval=approval)
    approval_notices.answered(approval=approval, by=actor, reason="")
    return price


def _lock(job: Job) -> Approval:
    """Its approval; one that waits stays as it is until the transaction ends.

    A decided one never changes, and its edit may be ending, which locks the job before the account: whoever
    has locked the account must not wait for that.
    """
    rows = Approval.objects.select_related("job", "decided_by")
    approval = rows.filter(job=job.pk).first()
    if approval is None:
        raise Conflict("This edit needs no approval.")
    if approval.state != State.WAITING:
        return approval
    jobs = Job.objects.select_related("workspace__plan", "created_by")
    locked = jobs.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
    approval = rows.get(job=job.pk)
    approval.job = locked
    return approval


def _check_open(approval: Approval, actor: Actor) -> None:
    if approval.job.created_by_id == actor.user.pk:
        raise PermissionDenied("This is your own edit: somebody else has to decide.")
    if approval.state != State.WAITING:
        by = approval.decided_by
        name = f" by {by.display_name}" if by else ""
        raise Conflict(f"This edit was {_DECIDED[State(approval.state)]}{name} already.")


def _asking(job: Job) -> Membership:
    """The membership of who asked. Raises Conflict if they may not edit any more."""
    rows = Membership.objects.select_related("user", "workspace")
    row = rows.filter(workspace=job.workspace_id, user=job.created_by_id, user__is_active=True).first()
    if row is None or not permissions.allows(row, Permission.EDIT):
        raise Conflict("Who asked for this edit may not edit images in this workspace any more.")
    return row


def _store_price(approval: Approval, price: int) -> None:
    approval.price = approval.job.price = price
    approval.save(update_fields=["price"])
    approval.job.save(update_fields=["price"])
    for event in (events.ApprovalChanged, events.JobChanged):
        events.publish(event(workspace_id=approval.workspace_id, job_id=approval.job_id))


def _cleaned(text: str, field: str) -> str:
    try:
        return " ".join(validation.clean_text(text, maximum=LONGEST_TEXT).split())
    except ValueError as error:
        raise InvalidInput(str(error), fields={field: str(error)}) from None


def _record(actor: Actor, action: str, approval: Approval) -> None:
    asking = approval.job.created_by
    audit.record(
        workspace=approval.workspace,
        actor=actor,
        action=action,
        target=asking.email if asking else "",
        data={"job": approval.job_id, "amount": approval.price},
    )
