"""Everything names a permission of the one table, and docs/permissions.md says which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse

from editor.access.permissions import Permission
from editor.management import entry_points
from editor.management.commands import permissions as command
from editor.mcp.tools import registry
from editor.models import Role
from editor.sockets.workspace import WorkspaceConsumer
from tests.factories import make_member, make_workspace
from tests.web.requests import body, signed_in

EDITOR = Path(settings.BASE_DIR) / "editor"


def test_everything_names_a_permission_and_the_document_is_up_to_date() -> None:
    call_command("permissions", "--check")


def test_a_document_that_is_out_of_date_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "DOCUMENT", tmp_path / "permissions.md")
    with pytest.raises(CommandError, match="out of date"):
        call_command("permissions", "--check")
    call_command("permissions")
    call_command("permissions", "--check")


def unnamed(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_a_route_a_tool_and_a_socket_without_a_permission_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Resolver:
        url_patterns = (path("w/<slug:slug>/new/", unnamed), path("v1/new", unnamed))

    monkeypatch.setattr(entry_points, "get_resolver", Resolver)
    monkeypatch.setattr(entry_points, "PUBLIC", {"v1/old": "It was removed."})
    monkeypatch.setattr(WorkspaceConsumer, "permission", None)
    tool = registry.TOOLS["list_jobs"]
    monkeypatch.setattr(entry_points, "TOOLS", {"list_jobs": _with_scope(tool, "image_editor:unknown")})
    found = "\n".join(entry_points.problems())
    for expected in ("page /w/<slug:slug>/new/", "page /v1/new", "tool list_jobs", "job.changed", "'v1/old'"):
        assert expected in found
    with pytest.raises(CommandError, match="names no permission"):
        call_command("permissions", "--check")


def _with_scope(tool: Any, scope: str) -> Any:
    from dataclasses import replace

    return replace(tool, scope=scope)


# --- Operations and roles in the code --------------------------------------------------------

# Operations with an actor that need no permission of their own: others call them after they checked.
PARTS = {
    "approvals.needed",
    "approvals.request",
    "idempotency.find",
    "idempotency.find_repeat",
    "idempotency.find_sent_before",
    "idempotency.free",
    "images.save_mask",
    "limits.check_credits",
    "limits.reread",  # jobs.submit
    "quotes.price",  # jobs.check and jobs.submit
    "intake.submit",  # jobs.check
    "job_images.sources",  # jobs.submit
    "job_images.with_roles",  # jobs.submit
    "repeats.repeat",  # jobs.submit
    "members.leave",  # nobody needs a permission to go
    "member_rights.lock",
    "service_accounts.check_cap_of",  # api_keys.rotate
}


def _functions() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted((EDITOR / "operations").rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                if any(one.annotation and ast.unparse(one.annotation) == "Actor" for one in arguments):
                    yield f"{file.stem}.{node.name}", node


OPERATIONS = dict(_functions())


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_of_a_member_requires_a_permission(name: str) -> None:
    """Itself, or with a function that is named for it."""
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(OPERATIONS[name])
        if isinstance(node, ast.Call)
    }
    checks = [one for one in called if one.lstrip("_").startswith("require") or one == "check_rights"]
    assert name in PARTS or checks, f"{name} requires no permission"


def test_only_the_table_decides_by_role() -> None:
    """Elsewhere a role is a value that is stored, shown or counted, never compared to allow something."""
    # These keep, or explain, the rule that a workspace has an owner.
    counted = {"permissions.py", "members.py", "people.py", "workspaces.py", "bootstrap.py", "general.py"}
    found = [
        f"{file.relative_to(EDITOR)}:{node.lineno}"
        for file in sorted(EDITOR.rglob("*.py"))
        if file.name not in counted and "migrations" not in file.parts and "Role." in file.read_text()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare)
        and "Role." in ast.unparse(node)
        and "JobImage" not in ast.unparse(node)
    ]
    templates = Path(settings.BASE_DIR) / "templates"
    found += [str(one) for one in templates.rglob("*.html") if "membership.role ==" in one.read_text()]
    assert [one for one in found if "JobImage" not in one] == []


# --- The page ----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_everybody_in_a_workspace_sees_what_each_role_can_do(role: Role) -> None:
    workspace = make_workspace()
    client: Client = signed_in(make_member(workspace, role=role))
    page = body(client.get(reverse("roles", args=[workspace.slug])))
    for permission in Permission:
        from django.utils.html import escape

        from editor.access.permissions import RULES

        assert escape(RULES[permission].allows) in page
    for one in Role:
        assert f'<th scope="col">{one.label}</th>' in page
    assert "With “Access Image Editor”" in page
    studio_settings = reverse("api_keys", args=[workspace.slug])
    assert reverse("roles", args=[workspace.slug]) in body(client.get(studio_settings))
