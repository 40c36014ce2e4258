"""The acting user, with their workspace and channel."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from editor.access import permissions
from editor.access.permissions import Permission
from editor.errors import PermissionDenied
from editor.models import Membership, Sharing, User, Workspace

VIEW_ONLY = (
    "You can view this workspace, but not edit images in it. "
    "An owner or admin of it can give you the “Access Image Editor” permission."
)

# No scope of a key covers it: whoever stole one that manages members would own the workspace.
NOT_BY_KEY = "Only an owner of this workspace can do this, in the browser and not with an API key."

# The IP address from which a page is requested, for the audit log: the actor may be unknown, or only a User.
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)


@dataclass(frozen=True, slots=True)
class Actor:
    """A member acting in a workspace. Made by `lookups.actor` and `credentials.actor_of`."""

    user: User
    workspace: Workspace
    membership: Membership
    channel: str = "web"
    key_id: UUID | None = None  # the API key in use
    address: str | None = None  # the client's IP address, if there is one

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset(permission for permission in permissions.RULES if self.may(permission))

    @property
    def rights(self) -> str:
        """Changes whenever the member's permissions do. For URLs."""
        return f"{self.membership.role}-{int(self.membership.access_image_editor)}"

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it, and for public links the workspace too."""
        if permission == Permission.WORKSPACE_OWN and self.key_id:
            return False
        if permission == Permission.SHARE and self._sharing_refusal:
            return False
        return permissions.allows(self.membership, permission)

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied unless the member has this permission."""
        if not permissions.allows(self.membership, permission):
            raise PermissionDenied(_refusal(permission))
        if permission == Permission.WORKSPACE_OWN and self.key_id:
            raise PermissionDenied(NOT_BY_KEY)
        if permission == Permission.SHARE and self._sharing_refusal:
            raise PermissionDenied(self._sharing_refusal)

    @property
    def _sharing_refusal(self) -> str:
        """Why the workspace's settings allow the member no public links; "" if they do."""
        if self.workspace.public_sharing == Sharing.NOBODY:
            return "Public links are switched off in this workspace. An owner or admin can allow them."
        managers_only = self.workspace.public_sharing == Sharing.MANAGERS
        if managers_only and self.membership.role not in permissions.MANAGERS:
            return "Only an owner or admin of this workspace can share images by public links."
        return ""


def _refusal(permission: Permission) -> str:
    if permissions.RULES[permission].needs_editor:
        return VIEW_ONLY
    return f"Only {permissions.holders(permission)} of this workspace can do this."
