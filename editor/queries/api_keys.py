"""The API keys of a workspace."""

from __future__ import annotations

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from editor.models import ApiKey, Membership, User, Workspace

ENDED_SHOWN = 20  # older ones are in the audit log


def live() -> Q:
    """Keys that work now, like `ApiKey.is_live`."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def keys(workspace: Workspace, *, made_by: User | None = None) -> list[ApiKey]:
    """The workspace's keys, or one user's: live keys, then the last ended ones; newest first.

    Each has `cap`, the credits that its holder can spend per month, or None.
    """
    cap = Membership.objects.filter(workspace=OuterRef("workspace"), user=OuterRef("created_by"))
    rows: QuerySet[ApiKey] = (
        ApiKey.objects.filter(workspace=workspace)
        .defer("secret_hash")
        .annotate(cap=Subquery(cap.values("monthly_cap")))
    )
    rows = rows.select_related("created_by", "replacement").order_by("-created_at", "-id")
    if made_by is not None:
        rows = rows.filter(created_by=made_by)
    return [*rows.filter(live()), *rows.exclude(live())[:ENDED_SHOWN]]
