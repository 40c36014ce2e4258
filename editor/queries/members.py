"""Who belongs where."""

from __future__ import annotations

from editor.models import User, Workspace


def workspaces_of(user: User) -> list[Workspace]:
    """The person's workspaces, the ones they joined first on top."""
    return list(Workspace.objects.filter(memberships__user=user).order_by("memberships__id"))
