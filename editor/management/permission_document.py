"""docs/permissions.md, from the table of permissions and everything that names one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from editor.access import scopes
from editor.access.permissions import Permission
from editor.contexts import roles
from editor.management import entry_points
from editor.management.entry_points import PUBLIC, EntryPoint

HEAD = """# Permissions

What each role can do, and which permission each page, API call, MCP tool and socket needs. This file is
made from `editor/access/permissions.py` and the code by `manage.py permissions`; `make check` fails if it is
out of date. Members see the first two tables in the portal: Settings, Roles.
"""


def text() -> str:
    return "\n".join([HEAD, *_roles(), *_scopes(), *_pages(), *_calls(), *_messages(), *_public()])


def _roles() -> list[str]:
    rows = [
        (f"`{row.permission.value}`", row.allows, *(cell.label for cell in row.roles))
        for row in roles.permission_rows()
    ]
    return ["## Roles", "", *_table(("Permission", "Allows", *roles.roles()), rows)]


def _scopes() -> list[str]:
    rows = [(f"`{row.scope}`", row.allows, f"`{row.permission.value}`") for row in roles.scope_rows()]
    return [
        "## Scopes of API keys",
        "",
        "A key acts as a person, or as the service account of a workspace key, with their current",
        "permissions: the key needs the scope, and they need the permission.",
        "",
        *_table(("Scope", "Allows", "Permission"), rows),
    ]


def _pages() -> list[str]:
    rows = [(f"`{one.name}`", _of_page(one)) for one in entry_points.all_of_them() if one.kind == "page"]
    return ["## Pages", "", *_table(("Path", "Permission"), rows)]


def _of_page(one: EntryPoint) -> str:
    needs = one.needs
    if needs is None:
        return "none"
    parts = [f"`{needs.get.value}`"]
    if needs.post != needs.get:
        parts.append(f"`{needs.post.value}` to change it")
    if needs.of_others:
        parts.append(f"`{needs.of_others.value}` for what belongs to others")
    return ", ".join(parts)


def _calls() -> list[str]:
    rows = [
        (f"`{' '.join((*one.methods, one.name))}`", f"`{one.scope}`", _of_scope(one.scope))
        for one in entry_points.all_of_them()
        if one.kind in ("call", "tool")
    ]
    return ["## API calls and MCP tools", "", *_table(("Call or tool", "Scope", "Permission"), rows)]


def _of_scope(scope: str) -> str:
    permission: Permission | None = scopes.PERMISSIONS.get(scope)
    return f"`{permission.value}`" if permission else "none"


def _messages() -> list[str]:
    rows = [
        (f"`{one.name}`", f"`{one.permission.value}`" if one.permission else "none")
        for one in entry_points.all_of_them()
        if one.kind == "message"
    ]
    return ["## Messages of sockets", "", *_table(("Message", "Permission"), rows)]


def _public() -> list[str]:
    rows = [(f"`/{path}`", why) for path, why in PUBLIC.items()]
    return ["## Without a permission", "", *_table(("Path", "Why"), rows)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]
