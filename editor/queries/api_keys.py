"""The API keys of a workspace."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from editor.models import ApiKey, Membership, User, Workspace

ENDED_SHOWN = 20  # older ones are in the audit log


_REPLACING = """
WITH RECURSIVE found AS (
    SELECT id, replaces_id FROM editor_apikey WHERE id = %s
    UNION
    SELECT other.id, other.replaces_id
    FROM editor_apikey AS other JOIN found ON other.id = found.replaces_id OR other.replaces_id = found.id
)
SELECT id FROM found
"""


def replacing_each_other(key_id: UUID) -> list[UUID]:
    """The key, those that it replaces, and those that replace it: they share their caps. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLACING, [key_id])
        return [row[0] for row in cursor.fetchall()]


def live() -> Q:
    """Keys that work now, like `ApiKey.is_live`."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def keys(workspace: Workspace, *, made_by: User | None = None) -> list[ApiKey]:
    """The workspace's keys, or one user's: live keys, then the last ended ones; newest first.

    Each has `holder_monthly` and `holder_daily`: credits that its holder can spend per month and per day.
    """
    holder = Membership.objects.filter(workspace=OuterRef("workspace"), user=OuterRef("created_by"))
    rows: QuerySet[ApiKey] = (
        ApiKey.objects.filter(workspace=workspace)
        .defer("secret_hash")
        .annotate(
            holder_monthly=Subquery(holder.values("monthly_cap")),
            holder_daily=Subquery(holder.values("daily_cap")),
        )
    )
    rows = rows.select_related("created_by", "replacement").order_by("-created_at", "-id")
    if made_by is not None:
        rows = rows.filter(created_by=made_by)
    return [*rows.filter(live()), *rows.exclude(live())[:ENDED_SHOWN]]
