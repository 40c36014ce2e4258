"""Members, operators and presets in the admin: the operations' rules also apply there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from editor.models import AuditEntry, Membership, Role, Style, User, Workspace
from tests.factories import PASSWORD, make_member, make_workspace
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD)


@pytest.fixture
def client(operator: User) -> Client:
    return signed_in(operator)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> Membership:
    return workspace.memberships.get()


@pytest.fixture
def member(workspace: Workspace) -> Membership:
    return workspace.memberships.get(user=make_member(workspace))


def save(client: Client, workspace: Workspace, *rows: dict[str, Any]) -> str:
    """Submit the workspace's page; returns the page with the errors, or "" if it was accepted."""
    data: dict[str, Any] = {
        "name": workspace.name,
        "slug": workspace.slug,
        "plan": workspace.plan_id,
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": sum("id" in row for row in rows),
    }
    for number, row in enumerate(rows):
        data |= {f"memberships-{number}-{name}": value for name, value in row.items()}
    response = client.post(f"/admin/editor/workspace/{workspace.pk}/change/", data)
    return "" if response.status_code == 302 else response.content.decode()


def row(membership: Membership, **changes: Any) -> dict[str, Any]:
    fields = {"id": membership.pk, "user": membership.user_id, "role": membership.role}
    return {**fields, "access_image_editor": "on", **changes}


def test_a_new_role_is_audited_with_the_old_one(
    client: Client, operator: User, workspace: Workspace, owner: Membership, member: Membership
) -> None:
    assert save(client, workspace, row(owner), row(member, role=Role.ADMIN)) == ""
    entry = AuditEntry.objects.get(action="membership.changed")
    assert (entry.actor, entry.target) == (operator, member.user.email)
    assert (entry.before, entry.after) == ({"role": "Editor"}, {"role": "Admin"})


@pytest.mark.parametrize("change", [{"role": Role.EDITOR}, {"DELETE": "on"}], ids=["demoted", "removed"])
def test_a_workspace_with_members_keeps_an_owner(
    client: Client, workspace: Workspace, owner: Membership, member: Membership, change: dict[str, Any]
) -> None:
    assert "A workspace with members needs an owner." in save(
        client, workspace, row(owner, **change), row(member)
    )
    assert workspace.memberships.get(role=Role.OWNER) == owner
    assert save(client, workspace, row(owner, **change), row(member, role=Role.OWNER)) == ""
    assert workspace.memberships.get(role=Role.OWNER) == member


def test_a_membership_cannot_be_moved_to_another_user(
    client: Client, operator: User, workspace: Workspace, owner: Membership
) -> None:
    assert save(client, workspace, row(owner, user=operator.pk)) == ""
    assert workspace.memberships.get().user == owner.user


def test_a_new_member_is_added(
    client: Client, operator: User, workspace: Workspace, owner: Membership
) -> None:
    new = {"user": operator.pk, "role": Role.VIEWER}
    assert save(client, workspace, row(owner), new) == ""
    assert workspace.memberships.get(user=operator).role == Role.VIEWER
    assert AuditEntry.objects.get(action="membership.added").target == operator.email


def test_a_user_who_is_required_is_not_deleted_and_the_page_explains_why(
    client: Client, owner: Membership, member: Membership
) -> None:
    url = f"/admin/editor/user/{owner.user_id}/delete/"
    message = "the only owner of Acme Studio, which has other members"
    assert message in client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    assert User.objects.filter(pk=owner.user_id).exists()


@pytest.mark.parametrize("right", ["is_active", "is_staff", "is_superuser"])
def test_the_last_operator_cannot_lock_everybody_out(client: Client, operator: User, right: str) -> None:
    rights = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if name != right}
    url = f"/admin/editor/user/{operator.pk}/change/"
    page = client.post(url, {"email": operator.email, "name": "", **rights})
    assert "This is the last operator." in page.content.decode()
    operator.refresh_from_db()
    assert operator.is_active and operator.is_staff and operator.is_superuser
    User.objects.create_superuser("second@example.test", PASSWORD)
    assert client.post(url, {"email": operator.email, "name": "", **rights}).status_code == 302


def test_renaming_a_style_creates_a_new_version(client: Client) -> None:
    style = Style.objects.get(name="Noir")
    data = {"name": "Film noir", "prompt": style.prompt, "preview": style.preview, "position": style.position}
    response = client.post(f"/admin/editor/style/{style.pk}/change/", data)
    assert response.status_code == 302, response.content.decode()
    style.refresh_from_db()
    assert (style.name, style.version) == ("Film noir", 2)
    client.post("/admin/editor/style/add/", {"name": "New", "prompt": "blue", "position": 0})
    assert Style.objects.get(name="New").version == 1
