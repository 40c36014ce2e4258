"""Provider accounts that edits run on: the portal's, from the environment or the admin, or the workspace's.

Keys are decrypted here and nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from editor.access import vault
from editor.models import ProviderKey, Workspace
from editor.providers import registry
from editor.providers.base import Account


@dataclass(frozen=True, slots=True)
class Providers:
    """Names of the providers that edits can be sent to.

    platform  with the portal's keys, for credits
    own       with the workspace's keys; empty where its plan does not allow them
    """

    platform: frozenset[str]
    own: frozenset[str]


def account(*, workspace: Workspace | None, provider: str) -> Account | None:
    """The account at `provider`: the workspace's own, or with None the portal's.

    None when there is none or it is disabled. A key in the environment takes precedence over one from
    the admin. `available` checks whether the plan allows own keys; this function does not.
    Raises vault.Unreadable, and ProviderError for a provider that is not installed.
    """
    if workspace is None and (found := _from_environment(provider)):
        return found
    key = ProviderKey.objects.filter(workspace=workspace, provider=provider, is_enabled=True).first()
    return opened(key) if key else None


def available(workspace: Workspace) -> Providers:
    """Providers the workspace can choose from, in one query and without decrypting anything."""
    needing_a_key = {name for name, provider in registry.providers().items() if provider.needs_key}
    rows = ProviderKey.objects.filter(
        Q(workspace=None) | Q(workspace=workspace, workspace__plan__own_keys=True), is_enabled=True
    ).values_list("workspace_id", "provider")
    platform = {name for name, given in settings.PROVIDERS.items() if given["key"]}
    own: set[str] = set()
    for workspace_id, name in rows:
        (platform if workspace_id is None else own).add(name)
    return Providers(platform=frozenset(platform & needing_a_key), own=frozenset(own & needing_a_key))


def given(*, provider: str, key: str, secret: str = "") -> Account:
    """The account for a key. Raises ProviderError for an unknown provider."""
    base_url = settings.PROVIDERS.get(provider, {}).get("base_url") or registry.get(provider).public_url
    return Account(base_url=base_url, key=key, secret=secret)


def sealed(row: ProviderKey, *, key: str, secret: str) -> bytes:
    """The encrypted value of the row's `secret`; it decrypts only while the row keeps its owner."""
    return vault.encrypt(purpose=purpose(row), text=json.dumps({"key": key, "secret": secret}))


def opened(row: ProviderKey) -> Account:
    """The account of a stored key, enabled or not. Raises vault.Unreadable and ProviderError."""
    return given(provider=row.provider, **json.loads(vault.decrypt(purpose=purpose(row), token=row.secret)))


def purpose(row: ProviderKey) -> str:
    """The row's identity, bound into its secret so that a copy in another row cannot be decrypted."""
    return f"provider-key:{row.pk}:{row.workspace_id or 'portal'}:{row.provider}"


def _from_environment(provider: str) -> Account | None:
    values = settings.PROVIDERS.get(provider, {})
    if not values.get("key"):
        return None
    return given(provider=provider, key=values["key"], secret=values["secret"])
