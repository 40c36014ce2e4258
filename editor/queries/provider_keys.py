"""Workspaces' own provider keys."""

from __future__ import annotations

from editor.models import ProviderKey, Workspace


def keys(workspace: Workspace) -> dict[str, ProviderKey]:
    """The workspace's own keys by provider, without their secrets."""
    rows = ProviderKey.objects.filter(workspace=workspace).defer("secret")
    return {row.provider: row for row in rows}
