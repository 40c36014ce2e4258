"""The audit log's only writer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from editor.access.actor import Actor, client_address
from editor.models import ApiKey, AuditEntry, User, Workspace

Kind = AuditEntry.ActorKind


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is not signed in."""


# Who acts: a member or their key, a user outside any workspace (an operator in the admin), somebody who is
# not signed in, or with None the portal itself.
By = Actor | User | Visitor | None

LONGEST_TARGET = 300  # characters
PURGED_AT_ONCE = 5_000  # entries


def record(
    *,
    workspace: Workspace | None,
    actor: By,
    action: str,
    target: str = "",
    data: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Record an action, in the same transaction as the action itself.

    workspace      None: it concerns an account or the portal
    action         one of those in contexts/audit_sentences.py
    data           what else is worth knowing
    before, after  the changed values by name, in words that a page can show
    address        the client's IP address; by default the actor's, or that of the current request

    None of them may contain a secret.
    """
    _entry(workspace, actor, action, target, data, before, after, address).save(force_insert=True)


def record_for(
    *,
    person: User,
    actor: By,
    action: str,
    target: str = "",
    data: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Record what concerns the person's account in each of their workspaces; if they have none, once.

    What an operator does with their own account they do as a member.
    """
    kind = Kind.MEMBER if actor == person else _kind(actor)
    places: Iterable[Workspace | None] = Workspace.objects.filter(memberships__user=person, deleted_at=None)
    rows = [_entry(place, actor, action, target, data, before, after, address) for place in places or [None]]
    for row in rows:
        row.actor_kind = kind
    AuditEntry.objects.bulk_create(rows)


def purge() -> int:
    """Delete entries that are older than AUDIT_DAYS days, some at a time; returns how many."""
    limit = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    old = AuditEntry.objects.filter(created_at__lt=limit).order_by("created_at")
    with transaction.atomic(), connection.cursor() as cursor:
        # Without this, a trigger rejects it: see migration 0026.
        cursor.execute("SELECT set_config('editor.audit_kept_since', %s, true)", [limit.isoformat()])
        ids = list(old.values_list("pk", flat=True)[:PURGED_AT_ONCE])
        return AuditEntry.objects.filter(pk__in=ids).delete()[0]


def user_of(actor: By) -> User | None:
    if isinstance(actor, Actor):
        return actor.user
    return actor if isinstance(actor, User) else None


def _entry(
    workspace: Workspace | None,
    actor: By,
    action: str,
    target: str,
    data: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    address: str | None,
) -> AuditEntry:
    given = address or (actor.address if isinstance(actor, Actor) else None) or client_address.get()
    return AuditEntry(
        workspace=workspace,
        actor=user_of(actor),
        actor_kind=_kind(actor),
        actor_name=str(user_of(actor) or ""),
        action=action,
        target=target[:LONGEST_TARGET],
        data={**_plain(data or {}), **_key(actor)},
        before=None if before is None else _plain(before),
        after=None if after is None else _plain(after),
        ip=_ip(given),
    )


def _kind(actor: By) -> AuditEntry.ActorKind:
    if actor is None:
        return Kind.SYSTEM
    if isinstance(actor, Visitor):
        return Kind.VISITOR
    if isinstance(actor, Actor):
        return Kind.KEY if actor.key_id else Kind.MEMBER
    return Kind.OPERATOR if actor.is_superuser else Kind.MEMBER


def _key(actor: By) -> dict[str, str]:
    """The API key in use. Its name stays when the key is deleted."""
    if not isinstance(actor, Actor) or actor.key_id is None:
        return {}
    key = ApiKey.objects.filter(pk=actor.key_id).first()
    return {"key": str(actor.key_id), "key_name": str(key or "")}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON can store them."""
    return {name: _as_json(value) for name, value in values.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | dict) else str(value)


def _ip(text: str | None) -> str | None:
    """The address as the database takes it; None for what is none, as on a Unix socket."""
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
