"""Limits on a workspace's concurrent edits, and on what its members, keys and all together spend.

They are checked under the lock of the workspace's account, which rules out races.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from editor import phrases
from editor.access.actor import Actor
from editor.errors import InsufficientCredits, LimitExceeded, NotFound, PermissionDenied, WorkspaceSuspended
from editor.models import LIVE, Job, Membership, Workspace
from editor.queries import limits
from editor.queries.limits import Limit


class OverLimit(InsufficientCredits):
    """An edit that a limit of credits does not allow. Nothing was charged.

    limit  the one that binds
    """

    def __init__(self, limit: Limit, *, price: int) -> None:
        super().__init__(
            _sentence(limit, price),
            more={
                "limit": limit.kind.value,
                "remaining": limit.remaining,
                "resets_at": _utc(limit.resets_at) if limit.resets_at else None,
            },
        )
        self.limit = limit


HOW_TO_ASK = (
    "You can ask for an approval in the Studio, or in the public API with `approval` set to `request`."
)


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
        raise WorkspaceSuspended(suspension(workspace))


def suspension(workspace: Workspace) -> str:
    """What its members learn about the suspension."""
    reason = workspace.suspended_reason.strip().rstrip(".")
    why = f": {reason}" if reason else ""
    return (
        f"This workspace is suspended{why}. No edit can be started. An operator of this portal can lift that."
    )


def check_credits(*, actor: Actor, price: int, asks: bool = False) -> Limit | None:
    """Raise OverLimit if a limit of the member, the key or all together does not allow `price` credits more.

    asks  the member asks for an approval: a limit that it lifts is returned instead of raised
    """
    over = limits.binding(limits.of(actor), price=price)
    if over and not (asks and over.lifted_by_approval):
        raise OverLimit(over, price=price)
    return over


def check_approved(*, job: Job, price: int) -> None:
    """Raise OverLimit if a limit that an approval does not lift does not allow `price` credits more."""
    over = limits.binding(limits.of_approved(job.workspace, key_id=job.api_key_id), price=price)
    if over:
        raise OverLimit(over, price=price)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sentence(limit: Limit, price: int) -> str:
    if limit.resets_at is None:
        return (
            f"In this workspace, an edit that costs more than {phrases.credits(limit.allowed)} needs an "
            f"approval, and this one costs {price:,}. {HOW_TO_ASK}"
        )
    ask = f" {HOW_TO_ASK}" if limit.lifted_by_approval else ""
    return (
        f"{limit.whose} is {phrases.credits(limit.allowed)} {limit.period}, and {limit.used:,} are used. "
        f"This edit needs {price:,}. The limit resets on {limit.resets_on}. "
        f"{limit.who_raises} can raise it.{ask}"
    )
