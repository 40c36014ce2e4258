"""Keys at providers: tried, stored encrypted, tested again, switched off, removed.

A workspace's own keys are its owners' and admins' business; the portal's own are the operator's.
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
from editor.concurrency import threads
from editor.errors import Conflict, InvalidInput, NotFound, Unprocessable
from editor.models import ProviderKey, Workspace
from editor.operations import audit
from editor.providers import registry
from editor.providers.base import Account, ErrorKind, Provider, ProviderError
from editor.providers.failures import quoted
from editor.providers.redaction import keys_hidden

CHECK_SECONDS = 20.0  # for a provider to say whether it takes a key
TWO_PART = frozenset({"wiro"})  # providers whose keys may have a secret beside them
LONGEST_NOTE = 500  # characters
_KEY = re.compile(r"[!-~]{8,500}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a provider said of a key.

    accepted  False: it serves for no edit as things are; None: the provider could not be asked now
    note      for people; may be empty
    refused   it is no key of the provider's, and not worth storing
    """

    accepted: bool | None
    note: str
    refused: bool = False


async def save_and_test(*, actor: Actor, provider: str, key: str, secret: str = "") -> ProviderKey:
    """Store the workspace's key at `provider`, in place of an earlier one, unless it is refused.

    A provider that cannot be asked now does not hinder: the key is stored, with a note.
    Raises PermissionDenied, Unprocessable (the plan), NotFound (the provider) and InvalidInput.
    """
    _require_own_keys(actor)
    key, secret = key.strip(), secret.strip()
    verdict = await try_key(provider=provider, key=key, secret=secret)
    return await sync_to_async(_save)(actor=actor, provider=provider, key=key, secret=secret, verdict=verdict)


async def try_key(*, provider: str, key: str, secret: str = "") -> Verdict:
    """What the provider says of a key that is not stored yet. Raises NotFound for an unknown provider.

    Raises InvalidInput, with its field, for what cannot be a key and for a key that is refused.
    """
    taking_keys = _taking_keys(provider)
    for field, text in (("key", key), ("secret", secret)):
        if (text or field == "key") and not _KEY.fullmatch(text):
            raise _wrong(field, "Enter a key of 8 to 500 letters, digits and symbols, without spaces.")
    if secret and provider not in TWO_PART:
        raise _wrong("secret", f"{taking_keys.label} keys have no secret.")
    verdict = await _ask(taking_keys, accounts.given(provider=provider, key=key, secret=secret))
    if verdict.refused:
        raise _wrong("key", verdict.note)
    return verdict


async def test(*, actor: Actor, key: ProviderKey) -> Verdict:
    """Ask the provider whether it takes the stored key, and note what it says.

    Raises PermissionDenied, Unprocessable (the plan) and NotFound (the provider).
    """
    _require_own_keys(actor)
    taking_keys = _taking_keys(key.provider)
    try:
        verdict = await _ask(taking_keys, accounts.opened(key))
    except vault.Unreadable as error:
        verdict = Verdict(accepted=False, note=error.message)
    await sync_to_async(_note)(actor=actor, key=key, verdict=verdict)
    return verdict


@transaction.atomic
def set_enabled(*, actor: Actor, key: ProviderKey, enabled: bool) -> None:
    """Use the key for edits, or keep it unused. Doing it twice is no error.

    Raises PermissionDenied, and Unprocessable (the plan) when it is to be used.
    """
    if enabled:
        _require_own_keys(actor)
    actor.require_manager()
    if switch(key=key, enabled=enabled):
        _record(actor, "enabled" if enabled else "disabled", key)


def switch(*, key: ProviderKey, enabled: bool) -> bool:
    """Have the key used for edits or not, and say whether that is a change.

    For the operator's admin, which keeps its own record, and for this module. The key itself is left
    alone: it may be replaced or encrypted anew at the same moment.
    """
    changed = ProviderKey.objects.filter(pk=key.pk, is_enabled=not enabled)
    return bool(changed.update(is_enabled=enabled, updated_at=timezone.now()))


@transaction.atomic
def remove(*, actor: Actor, key: ProviderKey) -> None:
    """Forget the key. Doing it twice is no error. Raises PermissionDenied."""
    actor.require_manager()
    deleted, _ = ProviderKey.objects.filter(pk=key.pk).delete()
    if deleted:
        _record(actor, "removed", key)


@transaction.atomic
def store(
    *, workspace: Workspace | None, provider: str, key: str, secret: str, verdict: Verdict
) -> ProviderKey:
    """Write the key and what was said of it; None is the portal's own. Whether it is used stays as it was.

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
    row = store(workspace=actor.workspace, provider=provider, key=key, secret=secret, verdict=verdict)
    _record(actor, "saved", row, accepted=verdict.accepted)
    return row


@transaction.atomic
def _note(*, actor: Actor, key: ProviderKey, verdict: Verdict) -> None:
    noted: dict[str, Any] = {"note": verdict.note}
    if verdict.accepted is not None:
        noted["checked_at"] = timezone.now() if verdict.accepted else None
    # Not the row of a key that was replaced meanwhile: it was not this one that was tested.
    ProviderKey.objects.filter(pk=key.pk, secret=key.secret).update(**noted)
    _record(actor, "tested", key, accepted=verdict.accepted)


async def _ask(taking_keys: Provider, account: Account) -> Verdict:
    """Asked on the event loop; meanwhile the caller's thread gives its database connection back."""
    await sync_to_async(threads.release)()
    try:
        with keys_hidden(account):
            async with asyncio.timeout(CHECK_SECONDS):
                said = await taking_keys.check(account)
    except TimeoutError:
        return Verdict(accepted=None, note=f"{taking_keys.label} did not respond. Test the key again later.")
    except ProviderError as error:
        if error.kind == ErrorKind.AUTH:
            reason = (
                f"{taking_keys.label} does not accept this key. Check that it is complete and still valid."
            )
            return Verdict(accepted=False, note=reason, refused=True)
        if error.kind == ErrorKind.INSUFFICIENT_FUNDS:
            reason = f"{taking_keys.label} accepts this key, but its account has no funds left."
        elif error.retryable:
            reason = "The key could not be tested. Test it again later."
        else:
            reason = f"{taking_keys.label} gave an unexpected response to the test of this key."
        note = quoted(reason, error.quote)[:LONGEST_NOTE]
        return Verdict(accepted=None if error.retryable else False, note=note)
    return Verdict(accepted=True, note=said[:LONGEST_NOTE])


def _taking_keys(name: str) -> Provider:
    found = registry.providers().get(name)
    if found is None or not found.needs_key:
        raise NotFound("There is no such provider.")
    return found


def _require_own_keys(actor: Actor) -> None:
    actor.require_manager()
    if not actor.workspace.plan.own_keys:
        raise Unprocessable("This workspace's plan does not include its own provider keys.")


def _wrong(field: str, reason: str) -> InvalidInput:
    return InvalidInput(reason, fields={field: reason})


def _record(actor: Actor, act: str, key: ProviderKey, **data: bool | None) -> None:
    audit.record(
        workspace=actor.workspace,
        actor=actor.user,
        action=f"provider_key.{act}",
        target=str(key),
        data=data,
    )
