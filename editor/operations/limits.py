"""Limits on a workspace's concurrent edits, and on what its members, keys and all together spend.

They are checked under the lock of the workspace's account, which rules out races.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from editor.access.actor import Actor
from editor.errors import InsufficientCredits, LimitExceeded, NotFound, PermissionDenied, WorkspaceSuspended
from editor.models import LIVE, Job, Membership, Workspace
from editor.operations import limit_words
from editor.queries import limits
from editor.queries.limits import Limit


class OverLimit(InsufficientCredits):
    """An edit that a limit of credits does not allow. Nothing was charged.

    limit  the one that binds
    """

    def __init__(self, limit: Limit, *, price: int) -> None:
        super().__init__(
            limit_words.refusal(limit, price=price),
            more={
                "limit": limit.kind.value,
                "remaining": limit.remaining,
                "resets_at": _utc(limit.resets_at) if limit.resets_at else None,
            },
        )
        self.limit = limit


def check_jobs(*, workspace: Workspace) -> int:
    """How many edits the workspace has queued or running. Raises LimitExceeded if the plan allows no more."""
    count = Job.objects.filter(workspace=workspace, status__in=LIVE).count()
    limit = workspace.plan.concurrent_jobs
    if count >= limit:
        raise LimitExceeded(
            f"{count} edits are queued or running, and the plan allows {limit} at a time. "
            "Wait for one to finish, or cancel one.",
            retry_after=5,
        )
    return count


def reread(*, actor: Actor) -> Actor:
    """The actor with their present rights and limits, under the lock that the caller holds.

    Raises PermissionDenied if they have left the workspace a moment ago.
    """
    row = Membership.objects.select_related("workspace__plan").filter(pk=actor.membership.pk).first()
    if row is None:
        raise PermissionDenied("You are no longer a member of this workspace.")
    return replace(actor, membership=row, workspace=row.workspace)


def check_open(*, workspace: Workspace) -> None:
    """Raise NotFound if the workspace is deleted, WorkspaceSuspended if an operator has suspended it."""
    if workspace.deleted_at:
        raise NotFound("This workspace was deleted.")
    if workspace.suspended_at:
        raise WorkspaceSuspended(limit_words.suspension(workspace))


def check_credits(*, actor: Actor, price: int, may_request: bool = False) -> Limit | None:
    """Raise OverLimit if a limit of the member, the key or all together does not allow `price` credits more.

    may_request  a limit that an approval lifts is returned instead of raised
    """
    over = limits.binding(limits.of(actor), price=price)
    if over and not (may_request and over.lifted_by_approval):
        raise OverLimit(over, price=price)
    return over


def check_approved(*, job: Job, price: int) -> None:
    """Raise OverLimit if a limit that an approval does not lift does not allow `price` credits more."""
    over = limits.binding(limits.of_approved(job.workspace, key_id=job.api_key_id), price=price)
    if over:
        raise OverLimit(over, price=price)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
