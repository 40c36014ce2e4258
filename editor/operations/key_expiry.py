"""Notices and mails about API keys that are about to expire, once for each key."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from editor.models import ApiKey, Role, User
from editor.operations import mails, notices
from editor.queries import api_keys

BEFORE = timedelta(days=7)  # before the end; nobody hears of keys that live no longer than this
_AT_ONCE = 100  # keys


@transaction.atomic
def mail_expiring() -> int:
    """Tell people of live keys that end within BEFORE and were not replaced; returns for how many it mailed.

    Without a mail server there is only the notice, so that they are mailed once there is one.
    """
    now = timezone.now()
    due = ApiKey.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
        api_keys.live(),
        expires_at__lte=now + BEFORE,
        expires_at__gt=F("created_at") + BEFORE,
        expiry_mailed_at=None,
        replacement=None,
        workspace__deleted_at=None,
    )
    keys = list(due.select_related("workspace", "created_by").order_by("expires_at")[:_AT_ONCE])
    for key in keys:
        for person in _recipients(key):
            _tell(key, person)
            _mail(key, person)
    if not settings.SENDS_MAIL:
        return 0
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(expiry_mailed_at=now)
    return len(keys)


def _recipients(key: ApiKey) -> list[User]:
    """Its creator, if they are a member still; the owners for a key of the workspace."""
    members = User.objects.filter(memberships__workspace=key.workspace, is_active=True)
    if key.created_by.is_service_account:
        return list(members.filter(memberships__role=Role.OWNER))
    return list(members.filter(pk=key.created_by_id))


def _tell(key: ApiKey, person: User) -> None:
    assert key.expires_at
    notices.add(
        user=person,
        workspace=key.workspace,
        kind=notices.Kind.KEY_EXPIRING,
        source=str(key.pk),
        text=f"The API key “{key.name}” of {key.workspace} ends on {key.expires_at:%-d %B}. "
        "Rotate it before.",
        path=reverse("api_keys", args=[key.workspace.slug]),
    )


def _mail(key: ApiKey, person: User) -> None:
    assert key.expires_at
    mails.notify(
        kind=mails.Kind.KEY_EXPIRING,
        email=person.email,
        key=str(key.pk),
        name=key.name,
        workspace=key.workspace.name,
        ends=key.expires_at.isoformat(timespec="seconds"),
    )
