"""What each role can do, from the table of permissions: for the page and for docs/permissions.md."""

from __future__ import annotations

from dataclasses import dataclass

from editor.access import permissions, scopes
from editor.access.permissions import Permission
from editor.models import Role

YES, WITH_EDITOR, NO = "yes", "with editor", "no"
LABELS = {YES: "Yes", WITH_EDITOR: "With “Access Image Editor”", NO: "No"}


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a role has a permission: one of YES, WITH_EDITOR and NO."""

    role: str
    held: str

    @property
    def label(self) -> str:
        return LABELS[self.held]


@dataclass(frozen=True, slots=True)
class PermissionRow:
    permission: Permission
    allows: str
    roles: list[Held]


@dataclass(frozen=True, slots=True)
class ScopeRow:
    scope: str
    allows: str
    permission: Permission


def roles() -> list[str]:
    return [str(role.label) for role in Role]


def permission_rows() -> list[PermissionRow]:
    return [
        PermissionRow(permission, rule.allows, [Held(str(role.label), _held(rule, role)) for role in Role])
        for permission, rule in permissions.RULES.items()
    ]


def scope_rows() -> list[ScopeRow]:
    return [ScopeRow(scope, text, scopes.PERMISSIONS[scope]) for scope, text in scopes.SCOPES.items()]


def _held(rule: permissions.Rule, role: Role) -> str:
    if role not in rule.roles:
        return NO
    return WITH_EDITOR if role in rule.needs_editor else YES
