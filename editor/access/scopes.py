"""Scopes of API keys: APIs check `allows`; pages and commands take names and descriptions from here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from editor.access.permissions import Permission

EVERYTHING = "image_editor"
READ = "image_editor:read"
WRITE = "image_editor:write"
MANAGE = "workspace:manage"

# Scope -> description for users.
SCOPES: Mapping[str, str] = MappingProxyType(
    {
        EVERYTHING: "Full access to the Image Editor API",
        READ: "View jobs, models, styles, characters and estimates",
        WRITE: "Upload images, run edits and cancel them",
        MANAGE: "Manage members and invitations",
    }
)
# Scope -> the permission that the key's holder needs as well.
PERMISSIONS: Mapping[str, Permission] = MappingProxyType(
    {
        EVERYTHING: Permission.EDIT,
        READ: Permission.VIEW,
        WRITE: Permission.EDIT,
        MANAGE: Permission.MEMBERS_MANAGE,
    }
)


def offered(permissions: Collection[Permission]) -> dict[str, str]:
    """The scopes that somebody with these permissions can give a key, with their descriptions."""
    return {scope: text for scope, text in SCOPES.items() if PERMISSIONS[scope] in permissions}


def allows(scopes: Collection[str], needed: str) -> bool:
    """True if a key with `scopes` has the scope `needed`, which must be one of SCOPES."""
    return needed in SCOPES and (needed in scopes or (EVERYTHING in scopes and needed in (READ, WRITE)))
