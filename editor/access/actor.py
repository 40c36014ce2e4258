"""The acting user, with their workspace and channel."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from editor.errors import PermissionDenied
from editor.models import Membership, User, Workspace

VIEW_ONLY = (
    "You can view this workspace, but not edit images in it. "
    "An operator of this portal can give you the “Access Image Editor” permission."
)


@dataclass(frozen=True, slots=True)
class Actor:
    """A member acting in a workspace. Made by `lookups.actor` and `credentials.actor_of`."""

    user: User
    workspace: Workspace
    membership: Membership
    channel: str = "web"
    key_id: UUID | None = None  # the API key in use

    def require_editor(self) -> None:
        """Raise PermissionDenied unless the user may run edits."""
        if not self.membership.may_edit:
            raise PermissionDenied(VIEW_ONLY)

    def require_manager(self) -> None:
        """Raise PermissionDenied unless the user is an owner or admin."""
        if not self.membership.may_manage:
            raise PermissionDenied("Only an owner or admin of this workspace can do this.")
