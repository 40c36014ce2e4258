"""Limits on a workspace's concurrent edits and on its members' monthly spending.

Both are checked under the lock of the workspace's account, which rules out races.
"""

from __future__ import annotations

from editor.access.actor import Actor
from editor.errors import InsufficientCredits, LimitExceeded, NotFound
from editor.models import LIVE, Job, Workspace
from editor.queries import credits


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


def check_cap(*, actor: Actor, price: int) -> None:
    """Raise InsufficientCredits if a member's monthly cap does not allow another `price` credits.

    The cap counts credits spent or held since the start of the month (UTC).
    """
    cap = actor.membership.monthly_cap
    if cap is None:
        return
    used = credits.used_this_month(actor)
    if used + price > cap:
        raise InsufficientCredits(
            f"Your limit in this workspace is {cap:,} credits a month, and you have used {used:,}. This edit "
            f"needs {price:,}. An owner or admin of this workspace can raise the limit."
        )
