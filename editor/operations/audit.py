"""The audit log's only writer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.access.actor import Actor
from editor.models import AuditEntry, User, Workspace

Kind = AuditEntry.ActorKind
# Who acts: a member or their key, a user outside any workspace (an operator in the admin), or the portal.
By = Actor | User | None

LONGEST_TARGET = 300  # characters


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
    kind: Kind | None = None,
) -> None:
    """Record an action, in the same transaction as the action itself.

    workspace      None: it concerns an account or the portal
    data           what else is worth knowing
    before, after  the changed values by name, in words that a page can show
    address        the client's IP address; by default the actor's
    kind           what the actor is, if that does not follow from it

    None of them may contain a secret.
    """
    key = {"key": str(actor.key_id)} if isinstance(actor, Actor) and actor.key_id else {}
    AuditEntry.objects.create(
        workspace=workspace,
        actor=user_of(actor),
        actor_kind=kind or _kind(actor),
        actor_name=str(user_of(actor) or ""),
        action=action,
        target=target[:LONGEST_TARGET],
        data={**(data or {}), **key},
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        ip=address or (actor.address if isinstance(actor, Actor) else None),
    )


def user_of(actor: By) -> User | None:
    return actor.user if isinstance(actor, Actor) else actor


def _kind(actor: By) -> AuditEntry.ActorKind:
    if actor is None:
        return Kind.SYSTEM
    if isinstance(actor, Actor):
        return Kind.KEY if actor.key_id else Kind.MEMBER
    return Kind.OPERATOR if actor.is_superuser else Kind.MEMBER
