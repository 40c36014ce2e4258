"""The API keys page of a workspace's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from editor.access import scopes
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.access.scopes import SCOPES
from editor.contexts.gallery import who
from editor.models import ApiKey
from editor.operations.api_keys import OVERLAPS
from editor.operations.key_text import PREFIX
from editor.queries import api_keys

_DAY = 24 * 60 * 60
# Labels for the lifetime of a new key, by seconds, and for how long a rotated key keeps working.
LIVES: dict[int | None, str] = {
    None: "Never",
    30 * _DAY: "In 30 days",
    90 * _DAY: "In 90 days",
    365 * _DAY: "In 1 year",
}
_OVERLAP_LABELS = ("Immediately", "In 1 hour", "In 24 hours", "In 7 days")

State = Literal["active", "replaced", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key in the list.

    start   the first characters of the key
    scopes  (name, description of what it allows)
    signed  requests are signed, as in Wiro's API
    who     whom it belongs to; empty for a key of the workspace
    monthly_cap, daily_cap  credits that can be spent with it; None: no limit
    """

    id: UUID
    name: str
    start: str
    scopes: list[tuple[str, str]]
    signed: bool
    who: str
    monthly_cap: int | None
    daily_cap: int | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    state: State
    badge: str
    may_revoke: bool
    may_rotate: bool
    may_limit: bool


@dataclass(frozen=True, slots=True)
class KeysView:
    """The keys that a user may see, and whether they may create more.

    all_of_workspace  False: only the user's own keys
    overlaps          (seconds that a rotated key keeps working, label)
    """

    rows: list[KeyRow]
    all_of_workspace: bool
    may_create: bool
    overlaps: list[tuple[int, str]]


def keys_view(actor: Actor) -> KeysView:
    manages = actor.may(Permission.KEYS_MANAGE)
    keys = api_keys.keys(actor.workspace, made_by=None if manages else actor.user)
    return KeysView(
        rows=[_row(actor, key) for key in keys],
        all_of_workspace=manages,
        may_create=actor.may(Permission.KEYS),
        overlaps=list(zip(OVERLAPS, _OVERLAP_LABELS, strict=True)),
    )


def _row(actor: Actor, key: ApiKey) -> KeyRow:
    state, badge = _state(key)
    monthly_cap, daily_cap = _caps(key)
    return KeyRow(
        id=key.pk,
        name=key.name,
        start=f"{PREFIX}{key.public_id}",
        scopes=[(scope, SCOPES.get(scope, "")) for scope in key.scopes],
        signed=key.signing_secret is not None,
        who="" if key.created_by.is_service_account else who(key.created_by),
        monthly_cap=monthly_cap,
        daily_cap=daily_cap,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        state=state,
        badge=badge,
        may_revoke=key.is_live,
        may_rotate=state == "active" and _may_rotate(actor, key),
        may_limit=key.is_live and actor.may(_needed_to_limit(actor, key)),
    )


def _caps(key: ApiKey) -> tuple[int | None, int | None]:
    """Of a row of `api_keys.keys`: those of a key of the workspace are its holder's."""
    if key.created_by.is_service_account:
        return getattr(key, "holder_monthly", None), getattr(key, "holder_daily", None)
    return key.monthly_cap, key.daily_cap


def _needed_to_limit(actor: Actor, key: ApiKey) -> Permission:
    return Permission.KEYS if key.created_by_id == actor.user.pk else Permission.KEYS_MANAGE


def _may_rotate(actor: Actor, key: ApiKey) -> bool:
    own = Permission.KEYS_MANAGE if key.created_by.is_service_account else Permission.KEYS
    is_own = key.created_by.is_service_account or key.created_by_id == actor.user.pk
    return is_own and actor.may(own) and set(key.scopes) <= set(scopes.offered(actor.permissions))


def _state(key: ApiKey) -> tuple[State, str]:
    if key.revoked_at:
        return "revoked", "Revoked"
    if key.is_replaced:
        return "replaced", "Replaced"
    return ("active", "Active") if key.is_live else ("expired", "Expired")
