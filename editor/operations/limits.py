"""How much a workspace and its members may have at once and in a month.

Both are asked under the lock of the workspace's account, so that nobody gets in between.
"""

from __future__ import annotations

from django.db.models import Q, Sum
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import InsufficientCredits, LimitExceeded
from editor.models import LIVE, Job, Workspace


def check_jobs(*, workspace: Workspace) -> int:
    """How many edits the workspace has queued or running. Raises TooMany when the plan allows no more."""
    count = Job.objects.filter(workspace=workspace, status__in=LIVE).count()
    limit = workspace.plan.concurrent_jobs
    if count >= limit:
        raise LimitExceeded(
            f"{count} edits are queued or running, and the plan allows {limit} at a time. "
            "Wait for one to finish, or cancel one.",
            retry_after=5,
        )
    return count


def check_cap(*, actor: Actor, price: int) -> None:
    """Raise InsufficientCredits when a member's monthly cap does not allow `price` credits more.

    The cap counts what they spent or hold since the month began (UTC).
    """
    cap = actor.membership.monthly_cap
    if cap is None:
        return
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    own = Job.objects.filter(workspace=actor.workspace, created_by=actor.user, created_at__gte=month)
    spent = own.aggregate(
        held=Sum("price", filter=Q(status__in=LIVE), default=0), charged=Sum("charged", default=0)
    )
    used = spent["held"] + spent["charged"]
    if used + price > cap:
        raise InsufficientCredits(
            f"Your limit in this workspace is {cap:,} credits a month, and you have used {used:,}. This edit "
            f"needs {price:,}. An owner or admin can raise the limit."
        )
