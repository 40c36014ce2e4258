"""The portal's own provider keys, as operators manage them. See provider_keys.py for those of workspaces."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import transaction

from editor.access import operators
from editor.models import ProviderKey, User
from editor.operations import audit, provider_keys
from editor.operations.provider_keys import Verdict


async def save_and_test(*, actor: User, provider: str, key: str, secret: str = "") -> ProviderKey:
    """Store the portal's key at `provider`, replacing an earlier one, unless it is refused.

    If the provider cannot be reached now, the key is stored with a note.
    Raises NotFound (the provider) and InvalidInput.
    """
    await sync_to_async(operators.require)(actor)
    key, secret = key.strip(), secret.strip()
    verdict = await provider_keys.try_key(provider=provider, key=key, secret=secret)
    return await sync_to_async(_save)(actor=actor, provider=provider, key=key, secret=secret, verdict=verdict)


async def test(*, actor: User, key: ProviderKey) -> Verdict:
    """Test the stored key at its provider and save the result."""
    await sync_to_async(operators.require)(actor)
    verdict = await provider_keys.try_stored(key)
    await sync_to_async(_note)(actor=actor, key=key, verdict=verdict)
    return verdict


@transaction.atomic
def remove(*, actor: User, key: ProviderKey) -> None:
    """Delete the key. Edits that run on it fail at their next request to the provider. Idempotent."""
    operators.require(actor)
    deleted, _ = ProviderKey.objects.filter(pk=key.pk, workspace=None).delete()
    if deleted:
        audit.record(workspace=None, actor=actor, action="provider_key.removed", target=str(key))


@transaction.atomic
def _save(*, actor: User, provider: str, key: str, secret: str, verdict: Verdict) -> ProviderKey:
    old = provider_keys.last_four(workspace=None, provider=provider)
    row = provider_keys.store(workspace=None, provider=provider, key=key, secret=secret, verdict=verdict)
    audit.record(
        workspace=None,
        actor=actor,
        action="provider_key.saved",
        target=str(row),
        before={"last_four": old},
        after={"last_four": row.last_four},
    )
    return row


@transaction.atomic
def _note(*, actor: User, key: ProviderKey, verdict: Verdict) -> None:
    provider_keys.write_note(key=key, verdict=verdict)
    audit.record(
        workspace=None,
        actor=actor,
        action="provider_key.tested",
        target=str(key),
        data={"accepted": verdict.accepted},
    )
