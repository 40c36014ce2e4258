"""API keys: created, shown once, used, rotated, revoked.

A key acts as the person who created it, and only they can rotate it. A key of the workspace acts as a service
account of its own (service_accounts.py), and whoever manages keys can rotate it. Nobody gets a key, new or
rotated, with a scope whose permission they do not have themselves. Their rights are read under the lock of
the workspace: somebody who is losing them creates no key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models.functions import Least
from django.utils import timezone

from editor import events
from editor.access import signatures
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.access.scopes import EVERYTHING, PERMISSIONS, SCOPES
from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import ApiKey, Membership, User
from editor.operations import audit, caps, key_text, member_rights, service_accounts
from editor.queries import api_keys

LONGEST_NAME = 80  # characters
LONGEST_LIFE = 10 * 365 * 24 * 60 * 60  # seconds
OVERLAPS = (0, 60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60)  # seconds that a rotated key still works
LIVE_KEYS = 50  # in one workspace
Caps = tuple[int | None, int | None]


@transaction.atomic
def create(
    *,
    actor: Actor,
    name: str,
    scopes: Sequence[str] = (EVERYTHING,),
    expires_in: int | None = None,
    key_id: UUID | None = None,
    signed: bool = False,
    of_workspace: bool = False,
    monthly_cap: int | None = None,
    daily_cap: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its bare text, which cannot be retrieved again.

    signed        it signs its requests as Wiro's clients do, with the secret from `signatures.secret_of`
    of_workspace  it belongs to the workspace and outlives the actor's membership
    monthly_cap, daily_cap  credits that can be spent with it per month and per day; None: no limit

    `expires_in` is in seconds; with None it lives until it is revoked. A form that is sent twice passes
    the same `key_id` twice: the second time, and with LIVE_KEYS live keys, this raises Conflict.
    Raises PermissionDenied and InvalidInput.
    """
    actor = member_rights.lock(actor)
    actor.require(Permission.KEYS)
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise _wrong("name", f"Enter a name of 1 to {LONGEST_NAME} characters, on one line.")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise _wrong("scopes", f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(SCOPES)}.")
    _require_scopes(actor, scopes)
    if expires_in is not None and not 1 <= expires_in <= LONGEST_LIFE:
        raise _wrong("expires_in", f"A key can be valid for 1 to {LONGEST_LIFE:,} seconds.")
    holder = actor.user
    if of_workspace:
        holder = service_accounts.create(
            actor=actor, name=name, scopes=scopes, monthly_cap=monthly_cap, daily_cap=daily_cap
        )
        caps_of_key: Caps = (None, None)
    else:
        caps_of_key = (caps.checked(monthly_cap), caps.checked(daily_cap, field="daily_cap"))
    key, bare = _make(
        actor,
        holder=holder,
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + timedelta(seconds=expires_in) if expires_in is not None else None,
        key_id=key_id,
        signed=signed,
        key_caps=caps_of_key,
    )
    after: dict[str, Any] = {"scopes": key.scopes, "expires_at": _end(key)}
    after |= {"belongs_to": "workspace"} if of_workspace else {}
    after |= {name: cap for name, cap in _named(monthly_cap, daily_cap).items() if cap is not None}
    _record(actor, "api_key.created", key, after=after)
    return key, bare


@transaction.atomic
def rotate(*, actor: Actor, key: ApiKey, overlap: int) -> tuple[ApiKey, str]:
    """A replacement for `key` and its bare text: same name, scopes and lifetime, starting now.

    A key that signs its requests is replaced by one that does, with a secret of its own.

    The old key works for `overlap` more seconds (one of OVERLAPS), but never beyond its own expiry;
    `key.expires_at` is set to that time.
    Raises PermissionDenied, InvalidInput, and Conflict for a key that has ended or was rotated before.
    """
    actor = member_rights.lock(actor)
    actor.require(Permission.KEYS)
    if key.created_by.is_service_account:
        actor.require(Permission.KEYS_MANAGE)
        service_accounts.check_cap_of(actor, key.created_by)
    elif key.created_by_id != actor.user.pk:
        raise PermissionDenied(
            "Only the person who created a key can rotate it: the new key acts as them, too."
        )
    _require_scopes(actor, key.scopes)
    if overlap not in OVERLAPS:
        raise _wrong("overlap", "Choose when the old key stops working.")
    now = timezone.now()
    life = key.expires_at - key.created_at if key.expires_at else None
    # Also waits for a concurrent revocation.
    old, ended = ApiKey.objects.filter(api_keys.live(), pk=key.pk), _end(key)
    if not old.update(expires_at=Least("expires_at", now + timedelta(seconds=overlap))):
        raise Conflict("This key no longer works. Create a new one.")
    key.refresh_from_db(fields=["expires_at"])
    new, bare = _make(
        actor,
        holder=key.created_by,
        name=key.name,
        scopes=key.scopes,
        expires_at=now + life if life else None,
        replaces=key,
        signed=key.signing_secret is not None,
        key_caps=(key.monthly_cap, key.daily_cap),
    )
    _record(
        actor,
        "api_key.rotated",
        key,
        before={"expires_at": ended},
        after={"expires_at": _end(key), "new_key": new.public_id},
    )
    events.publish(events.AccessChanged(workspace_id=key.workspace_id))
    return new, bare


@transaction.atomic
def set_caps(*, actor: Actor, key: ApiKey, monthly_cap: int | None, daily_cap: int | None) -> None:
    """Change what can be spent with the key, and with those that it replaces or that replace it.

    monthly_cap, daily_cap  credits; None: no limit
    Raises PermissionDenied unless it is the actor's own or they manage keys, and InvalidInput.
    """
    actor = member_rights.lock(actor)
    actor.require(Permission.KEYS)
    if key.created_by_id != actor.user.pk:
        actor.require(Permission.KEYS_MANAGE)
    before = caps_of(key)
    if key.created_by.is_service_account:
        service_accounts.set_caps(
            actor=actor, account=key.created_by, monthly_cap=monthly_cap, daily_cap=daily_cap
        )
    else:
        key.monthly_cap = caps.checked(monthly_cap)
        key.daily_cap = caps.checked(daily_cap, field="daily_cap")
        ApiKey.objects.filter(pk__in=api_keys.replacing_each_other(key.pk)).update(
            monthly_cap=monthly_cap, daily_cap=daily_cap
        )
    if before != (monthly_cap, daily_cap):
        after = _named(monthly_cap, daily_cap)
        _record(actor, "api_key.changed", key, before=_named(*before), after=after)


def caps_of(key: ApiKey) -> Caps:
    """A month's and a day's. Those of a key of the workspace are its service account's."""
    if key.created_by.is_service_account:
        return service_accounts.caps_of(key.created_by)
    return key.monthly_cap, key.daily_cap


@transaction.atomic
def revoke(*, actor: Actor, key: ApiKey) -> None:
    """Revoke the key at once and end its open long-lived requests. Idempotent.

    Raises PermissionDenied unless it is the actor's own or they manage the workspace.
    """
    if key.created_by_id != actor.user.pk:
        actor.require(Permission.KEYS_MANAGE)
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _record(actor, "api_key.revoked", key)
        service_accounts.end_if_unused(key.created_by, actor=actor)
        events.publish(events.AccessChanged(workspace_id=key.workspace_id))


def revoke_all_of(*, membership: Membership, actor: audit.By) -> None:
    """Revoke the keys of a person who leaves the workspace: they stay dead if the person comes back."""
    for key in ApiKey.objects.filter(
        api_keys.live(), workspace=membership.workspace_id, created_by=membership.user_id
    ):
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
        audit.record(workspace=membership.workspace, actor=actor, action="api_key.revoked", target=str(key))


def find(bare: str) -> ApiKey | None:
    """The key with this bare text, live or not; None if there is none."""
    parts = key_text.parts(bare)
    if parts is None:
        return None
    public_id, secret = parts
    rows = ApiKey.objects.select_related("workspace__plan", "created_by")
    return rows.filter(public_id=public_id, secret_hash=key_text.hashed(secret)).first()


def _make(
    actor: Actor,
    *,
    holder: User,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    key_id: UUID | None = None,
    replaces: ApiKey | None = None,
    signed: bool = False,
    key_caps: Caps = (None, None),
) -> tuple[ApiKey, str]:
    # Under the lock of the workspace: no two callers count the same keys.
    if ApiKey.objects.filter(api_keys.live(), workspace=actor.workspace).count() >= LIVE_KEYS:
        raise Conflict(
            f"A workspace can have at most {LIVE_KEYS} active API keys. Revoke one that you no longer need."
        )
    key_id, public_id, secret = key_id or uuid4(), key_text.random(8), key_text.random(32)
    signing = signatures.sealed(key_id=key_id, secret=key_text.random(40)) if signed else None
    try:
        with transaction.atomic():
            key = ApiKey.objects.create(
                id=key_id,
                workspace=actor.workspace,
                created_by=holder,
                name=name,
                public_id=public_id,
                secret_hash=key_text.hashed(secret),
                scopes=list(scopes),
                signing_secret=signing,
                expires_at=expires_at,
                replaces=replaces,
                monthly_cap=key_caps[0],
                daily_cap=key_caps[1],
            )
    except IntegrityError:  # the id, or the key that is replaced, is taken
        raise Conflict(
            "This key has already been created, and was shown then. Reload the page to see it in the list. "
            "If nobody saved it, revoke it and create another."
        ) from None
    return key, key_text.bare(public_id, secret)


def _require_scopes(actor: Actor, scopes: Sequence[str]) -> None:
    for scope in scopes:
        actor.require(PERMISSIONS[scope])


def _wrong(field: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={field: message})


def _named(monthly_cap: int | None, daily_cap: int | None) -> dict[str, int | None]:
    return {"monthly_cap": monthly_cap, "daily_cap": daily_cap}


def _end(key: ApiKey) -> str | None:
    return key.expires_at.isoformat(timespec="seconds") if key.expires_at else None


def _record(actor: Actor, action: str, key: ApiKey, **values: Any) -> None:
    audit.record(workspace=actor.workspace, actor=actor, action=action, target=str(key), **values)
