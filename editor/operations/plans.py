"""Plans. New workspaces get the default one."""

from __future__ import annotations

from django.db import transaction

from editor.errors import Conflict
from editor.models import Plan


@transaction.atomic
def save(*, plan: Plan) -> None:
    """Store a new or changed plan. If it becomes the default, the previous one stops being it.

    Raises Conflict if none would be the default.
    """
    # One at a time, so that no two become the default.
    others = [row for row in Plan.objects.select_for_update(no_key=True).order_by("pk") if row.pk != plan.pk]
    if plan.is_default:
        Plan.objects.filter(pk__in=[row.pk for row in others]).update(is_default=False)
    elif not any(row.is_default for row in others):
        raise Conflict("New workspaces need a default plan. Make another plan the default instead.")
    plan.save()
