"""When an API key was used and a member was active, noted at most once a minute across all processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from editor.models import ApiKey, Membership

NOTED_EVERY = timedelta(minutes=1)


def note_key(key: ApiKey) -> None:
    _note(ApiKey.objects.filter(pk=key.pk), "last_used_at", key.last_used_at)


def note_member(membership: Membership) -> None:
    _note(Membership.objects.filter(pk=membership.pk), "last_active_at", membership.last_active_at)


def _note(rows: QuerySet[Any], column: str, last: datetime | None) -> None:
    now = timezone.now()
    if last and last > now - NOTED_EVERY:
        return
    noted_long_ago = Q(**{column: None}) | Q(**{f"{column}__lte": now - NOTED_EVERY})
    rows.filter(noted_long_ago).update(**{column: now})
