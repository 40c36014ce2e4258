"""What each role may do in a workspace. Everything that asks whether a member may do something asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from django.db.models import Q

from editor.models import Invitation, Membership, Role

Rights = Membership | Invitation


class Permission(StrEnum):
    """A named permission. Its value stands in pages, in docs/permissions.md and in the audit log."""

    VIEW = "workspace:view"
    EDIT = "images:edit"
    SHARE = "images:share"
    KEYS = "api_keys:own"
    KEYS_MANAGE = "api_keys:manage"
    MEMBERS_VIEW = "members:view"
    MEMBERS_MANAGE = "members:manage"
    PROVIDERS_MANAGE = "providers:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"
    USAGE_VIEW = "usage:view"
    APPROVE = "edits:approve"
    AUDIT_VIEW = "audit:view"
    WORKSPACE_MANAGE = "workspace:manage"
    WORKSPACE_OWN = "workspace:own"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who has a permission.

    allows        what it allows, for people
    roles         the roles that have it
    needs_editor  those of them that need “Access Image Editor” as well
    """

    allows: str
    roles: frozenset[Role]
    needs_editor: frozenset[Role] = frozenset()


_ALL = frozenset(Role)
_EDITORS = _ALL - {Role.VIEWER}
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})
_OWNERS = frozenset({Role.OWNER})

RULES: Mapping[Permission, Rule] = MappingProxyType(
    {
        Permission.VIEW: Rule("See and download images, see edits, presets and the balance", _ALL),
        Permission.EDIT: Rule(
            "Upload and edit images, cancel edits, move images to the trash", _EDITORS, needs_editor=_EDITORS
        ),
        Permission.SHARE: Rule("Create and revoke public links to images", _EDITORS, needs_editor=_EDITORS),
        Permission.KEYS: Rule(
            "Create and rotate API keys, with scopes that their own permissions allow",
            _EDITORS,
            needs_editor=_EDITORS - MANAGERS,
        ),
        Permission.KEYS_MANAGE: Rule(
            "Create and rotate keys of the workspace, see and revoke all keys", MANAGERS
        ),
        Permission.MEMBERS_VIEW: Rule("See who is a member, and with which role", _ALL),
        Permission.MEMBERS_MANAGE: Rule(
            "Invite and remove members, change their roles, permissions and caps", MANAGERS
        ),
        Permission.PROVIDERS_MANAGE: Rule("Save, test and remove the workspace's provider keys", MANAGERS),
        Permission.WEBHOOKS_MANAGE: Rule("Create, change and remove webhook endpoints", MANAGERS),
        Permission.USAGE_VIEW: Rule("See what every member spent", MANAGERS),
        Permission.APPROVE: Rule("Approve or decline edits of others over a limit", MANAGERS),
        Permission.AUDIT_VIEW: Rule("See and export the audit log", MANAGERS),
        Permission.WORKSPACE_MANAGE: Rule(
            "Change the workspace's name, address, defaults, limits and model rules", MANAGERS
        ),
        Permission.WORKSPACE_OWN: Rule(
            "Make others owners, require a second factor, export and delete the workspace", _OWNERS
        ),
    }
)


def of(membership: Rights) -> frozenset[Permission]:
    """All permissions that the membership gives, or the invitation would."""
    return frozenset(permission for permission in RULES if allows(membership, permission))


def allows(membership: Rights, permission: Permission) -> bool:
    rule, role = RULES[permission], membership.role
    return role in rule.roles and (membership.access_image_editor or role not in rule.needs_editor)


def having(permission: Permission) -> Q:
    """A filter of memberships: those that give the permission."""
    rule = RULES[permission]
    free = rule.roles - rule.needs_editor
    return Q(role__in=free) | Q(role__in=rule.needs_editor, access_image_editor=True)


def holders(permission: Permission) -> str:
    """Who has the permission, for a sentence: “an owner or admin”."""
    roles = [role.label.lower() for role in Role if role in RULES[permission].roles]
    return "an " + " or ".join(roles)
