"""Limits on a workspace's concurrent edits, and on what its members, keys and all together spend.

They are checked under the lock of the workspace's account, which rules out races.
"""

from __future__ import annotations

from editor.access.actor import Actor
from editor.errors import InsufficientCredits, LimitExceeded, NotFound, Unprocessable
from editor.models import LIVE, Job, Workspace
from editor.queries import limits
from editor.queries.limits import Kind, Limit


class OverLimit(InsufficientCredits):
    """An edit that a limit of credits does not allow. Nothing was charged.

    limit  the one that binds
    """

    def __init__(self, limit: Limit, *, price: int) -> None:
        super().__init__(_sentence(limit, price))
        self.limit = limit


HOW_TO_ASK = (
    "You can ask for an approval in the Studio, or in the public API with `approval` set to `request`."
)
_WHOSE = {
    Kind.MEMBER_MONTH: "Your limit in this workspace is {allowed} credits a month",
    Kind.MEMBER_DAY: "Your limit in this workspace is {allowed} credits a day",
    Kind.KEY_MONTH: "The limit of this API key is {allowed} credits a month",
    Kind.KEY_DAY: "The limit of this API key is {allowed} credits a day",
    Kind.WORKSPACE_MONTH: "The workspace's budget is {allowed} credits a month",
    Kind.WORKSPACE_DAY: "The workspace's budget is {allowed} credits a day",
}


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


def check_exists(*, workspace: Workspace) -> None:
    """Raise NotFound if the workspace was deleted a moment ago."""
    if not Workspace.objects.filter(pk=workspace.pk, deleted_at=None).exists():
        raise NotFound("This workspace was deleted.")


def check_not_suspended(*, workspace: Workspace) -> None:
    """Raise Unprocessable, with the operator's reason, if no edit can be started in the workspace."""
    rows = Workspace.objects.filter(pk=workspace.pk, suspended_at__isnull=False)
    reason = rows.values_list("suspended_reason", flat=True).first()
    if reason is not None:
        raise Unprocessable(
            "This workspace is suspended, and no edit can be started. "
            f"The operator of this portal says: {reason}"
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


def _sentence(limit: Limit, price: int) -> str:
    if limit.resets_at is None:
        return (
            f"In this workspace, an edit that costs more than {limit.allowed:,} credits needs an approval, "
            f"and this one costs {price:,}. {HOW_TO_ASK}"
        )
    ask = f" {HOW_TO_ASK}" if limit.lifted_by_approval else ""
    whose = _WHOSE[limit.kind].format(allowed=f"{limit.allowed:,}")
    return (
        f"{whose}, and {limit.used:,} are used. This edit needs {price:,}. The limit resets on "
        f"{limit.resets_at:%-d %B at %H:%M} ({limit.resets_at.tzinfo}). "
        f"An owner or admin of this workspace can raise it.{ask}"
    )
