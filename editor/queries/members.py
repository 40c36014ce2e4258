"""Memberships."""

from __future__ import annotations

from editor.models import User, Workspace


def workspaces_of(user: User) -> list[Workspace]:
    """The user's workspaces, in the order of joining."""
    return list(Workspace.objects.filter(memberships__user=user, deleted_at=None).order_by("memberships__id"))
