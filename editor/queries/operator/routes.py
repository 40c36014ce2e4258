"""The portal's provider keys, and routes that are switched off."""

from __future__ import annotations

from collections.abc import Mapping

from editor.models import ProviderKey, RouteSetting


def portal_keys() -> Mapping[str, ProviderKey]:
    """The portal's stored keys by provider, without their secrets."""
    return {row.provider: row for row in ProviderKey.objects.filter(workspace=None).defer("secret")}


def settings() -> list[RouteSetting]:
    return list(RouteSetting.objects.all())


def off() -> frozenset[str]:
    """Providers whose routes are all switched off."""
    return frozenset(RouteSetting.objects.filter(model="").values_list("provider", flat=True))
