"""Provider keys: tested, stored encrypted, retested, disabled, removed.

A workspace's own keys are managed by its owners and admins. Operators manage the portal's: portal_keys.py.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor.access import accounts, vault
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.errors import Conflict, InvalidInput, NotFound, Unprocessable
from editor.models import ProviderKey, Workspace
from editor.operations import audit
from editor.providers import registry
from editor.providers.base import Account, ErrorKind, Provider, ProviderError
from editor.providers.failures import quoted
from editor.providers.redaction import keys_hidden

CHECK_SECONDS = 20.0  # for a provider to check a key
TWO_PART = frozenset({"wiro"})  # providers whose keys may come with a secret
LONGEST_NOTE = 500  # characters
_KEY = re.compile(r"[!-~]{8,500}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of testing a key at its provider.

    accepted  False: it currently works for no edit; None: it could not be tested now
    note      for people; may be empty
    refused   the provider does not know the key; it is not stored
    """

    accepted: bool | None
    note: str
    refused: bool = False


async def save_and_test(*, actor: Actor, provider: str, key: str, secret: str = "") -> ProviderKey:
    """Store the workspace's key at `provider`, replacing an earlier one, unless it is refused.

    If the provider cannot be reached now, the key is stored with a note.
    Raises PermissionDenied, Unprocessable (the plan), NotFound (the provider) and InvalidInput.
    """
    _require_own_keys(actor)
    key, secret = key.strip(), secret.strip()
    verdict = await try_key(provider=provider, key=key, secret=secret)
    return await sync_to_async(_save)(actor=actor, provider=provider, key=key, secret=secret, verdict=verdict)


async def try_key(*, provider: str, key: str, secret: str = "") -> Verdict:
    """Test a key that is not stored yet. Raises NotFound for an unknown provider.

    Raises InvalidInput, with its field, for a malformed key and for a key that is refused.
    """
    adapter = _adapter(provider)
    for field, text in (("key", key), ("secret", secret)):
        if (text or field == "key") and not _KEY.fullmatch(text):
            raise _wrong(field, "Enter a key of 8 to 500 letters, digits and symbols, without spaces.")
    if secret and provider not in TWO_PART:
        raise _wrong("secret", f"{adapter.label} keys have no secret.")
    verdict = await _check(adapter, accounts.given(provider=provider, key=key, secret=secret))
    if verdict.refused:
        raise _wrong("key", verdict.note)
    return verdict


async def test(*, actor: Actor, key: ProviderKey) -> Verdict:
    """Test the stored key at its provider and save the result.

    Raises PermissionDenied, Unprocessable (the plan) and NotFound (the provider).
    """
    _require_own_keys(actor)
    verdict = await try_stored(key)
    await sync_to_async(_note)(actor=actor, key=key, verdict=verdict)
    return verdict


async def try_stored(key: ProviderKey) -> Verdict:
    """Test the stored key at its provider. Raises NotFound (the provider)."""
    adapter = _adapter(key.provider)
    try:
        return await _check(adapter, accounts.opened(key))
    except vault.Unreadable as error:
        return Verdict(accepted=False, note=error.message)


@transaction.atomic
def set_enabled(*, actor: Actor, key: ProviderKey, enabled: bool) -> None:
    """Enable or disable the key for edits. Idempotent.

    Raises PermissionDenied, and Unprocessable (the plan) when enabling it.
    """
    if enabled:
        _require_own_keys(actor)
    actor.require(Permission.PROVIDERS_MANAGE)
    if switch(key=key, enabled=enabled):
        _record(actor, "provider_key.enabled" if enabled else "provider_key.disabled", key)


def switch(*, key: ProviderKey, enabled: bool) -> bool:
    """Enable or disable the key for edits, and return whether that is a change.

    For the operator's admin, which keeps its own record, and for this module. The key itself is not
    written: it may be replaced or re-encrypted at the same moment.
    """
    changed = ProviderKey.objects.filter(pk=key.pk, is_enabled=not enabled)
    return bool(changed.update(is_enabled=enabled, updated_at=timezone.now()))


@transaction.atomic
def remove(*, actor: Actor, key: ProviderKey) -> None:
    """Delete the key. Idempotent. Raises PermissionDenied."""
    actor.require(Permission.PROVIDERS_MANAGE)
    deleted, _ = ProviderKey.objects.filter(pk=key.pk).delete()
    if deleted:
        _record(actor, "provider_key.removed", key)


def last_four(*, workspace: Workspace | None, provider: str) -> str | None:
    """The last four characters of the stored key; None if there is none."""
    return (
        ProviderKey.objects.filter(workspace=workspace, provider=provider)
        .values_list("last_four", flat=True)
        .first()
    )


@transaction.atomic
def store(
    *, workspace: Workspace | None, provider: str, key: str, secret: str, verdict: Verdict
) -> ProviderKey:
    """Write the key and its test result, without enabling or disabling it. No workspace: the portal's own.

    For the operator's admin, which keeps its own record, and for this module. Raises Conflict.
    """
    mine = ProviderKey.objects.select_for_update().filter(workspace=workspace, provider=provider)
    row = mine.first() or ProviderKey(workspace=workspace, provider=provider)
    row.secret = accounts.sealed(row, key=key, secret=secret)
    row.last_four = key[-4:]
    row.checked_at = timezone.now() if verdict.accepted else None
    row.note = verdict.note
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("Someone else saved a key for this provider at the same time.") from None
    return row


@transaction.atomic
def _save(*, actor: Actor, provider: str, key: str, secret: str, verdict: Verdict) -> ProviderKey:
    old = last_four(workspace=actor.workspace, provider=provider)
    row = store(workspace=actor.workspace, provider=provider, key=key, secret=secret, verdict=verdict)
    _record(actor, "provider_key.saved", row, before={"last_four": old}, after={"last_four": row.last_four})
    return row


@transaction.atomic
def _note(*, actor: Actor, key: ProviderKey, verdict: Verdict) -> None:
    write_note(key=key, verdict=verdict)
    _record(actor, "provider_key.tested", key, data={"accepted": verdict.accepted})


def write_note(*, key: ProviderKey, verdict: Verdict) -> None:
    """Save the result of a test of the stored key."""
    noted: dict[str, Any] = {"note": verdict.note}
    if verdict.accepted is not None:
        noted["checked_at"] = timezone.now() if verdict.accepted else None
    # Not if the key was replaced in the meantime: then another one was tested.
    ProviderKey.objects.filter(pk=key.pk, secret=key.secret).update(**noted)


async def _check(adapter: Provider, account: Account) -> Verdict:
    """Call the provider on the event loop, after the caller's thread has released its database connection."""
    await sync_to_async(threads.release)()
    try:
        with keys_hidden(account):
            async with asyncio.timeout(CHECK_SECONDS):
                reported = await adapter.check(account)
    except TimeoutError:
        return Verdict(accepted=None, note=f"{adapter.label} did not respond. Test the key again later.")
    except ProviderError as error:
        if error.kind == ErrorKind.AUTH:
            reason = f"{adapter.label} does not accept this key. Check that it is complete and still valid."
            return Verdict(accepted=False, note=reason, refused=True)
        if error.kind == ErrorKind.INSUFFICIENT_FUNDS:
            reason = f"{adapter.label} accepts this key, but its account has no funds left."
        elif error.retryable:
            reason = "The key could not be tested. Test it again later."
        else:
            reason = f"{adapter.label} gave an unexpected response to the test of this key."
        note = quoted(reason, error.quote)[:LONGEST_NOTE]
        return Verdict(accepted=None if error.retryable else False, note=note)
    return Verdict(accepted=True, note=reported[:LONGEST_NOTE])


def _adapter(name: str) -> Provider:
    found = registry.providers().get(name)
    if found is None or not found.needs_key:
        raise NotFound("There is no such provider.")
    return found


def _require_own_keys(actor: Actor) -> None:
    actor.require(Permission.PROVIDERS_MANAGE)
    if not actor.workspace.plan.own_keys:
        raise Unprocessable("This workspace's plan does not include its own provider keys.")


def _wrong(field: str, reason: str) -> InvalidInput:
    return InvalidInput(reason, fields={field: reason})


def _record(actor: Actor, action: str, key: ProviderKey, **values: Any) -> None:
    audit.record(workspace=actor.workspace, actor=actor, action=action, target=str(key), **values)
