"""New people and new workspaces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import AuditEntry, CreditAccount, Plan, Role, User, Workspace
from editor.operations import workspaces
from tests.factories import PASSWORD, UserFactory


@pytest.mark.django_db
def test_the_first_start_happens_once() -> None:
    assert workspaces.needs_first_start()
    user, workspace = workspaces.first_start(
        email="amara@example.test", password=PASSWORD, name="Amara", workspace_name="Acme"
    )
    assert (user.is_staff, user.is_superuser, user.check_password(PASSWORD)) == (True, True, True)
    assert workspace.memberships.get().role == Role.OWNER
    with pytest.raises(PermissionDenied):
        workspaces.first_start(email="b@example.test", password=PASSWORD, name="", workspace_name="B")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_first_start_that_fails_leaves_nobody() -> None:
    with pytest.raises(InvalidInput):
        workspaces.first_start(email="a@example.test", password=PASSWORD, name="", workspace_name=" ")
    assert workspaces.needs_first_start()


@pytest.mark.django_db
def test_a_new_person_is_no_operator() -> None:
    user = workspaces.create_user(email="Amara@EXAMPLE.test ", password=PASSWORD)
    assert user.email == "amara@example.test"
    assert not user.is_staff and not user.is_superuser


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("nonsense", PASSWORD, "email"),
        ("", PASSWORD, "email"),
        ("x" * 250 + "@example.test", PASSWORD, "email"),
        ("amara@example.test", "short", "password"),
        ("amara@example.test", "1234567890123", "password"),
        ("amara@example.test", "amara@example.test", "password"),
    ],
)
def test_a_person_who_is_not_right_is_refused(email: str, password: str, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        workspaces.create_user(email=email, password=password)
    assert field in error.value.fields
    assert not User.objects.exists()


@pytest.mark.django_db
def test_who_signs_up_uninvited_stores_little_until_an_operator_changes_the_plan() -> None:
    _, first = workspaces.sign_up(email="amara@example.test", password=PASSWORD)
    assert first.plan.storage_bytes == workspaces.SIGN_UP_STORAGE
    assert not first.plan.is_default
    Plan.objects.filter(pk=first.plan.pk).update(storage_bytes=None)
    _, second = workspaces.sign_up(email="ben@example.test", password=PASSWORD)
    assert second.plan == first.plan
    assert second.plan.storage_bytes is None


@pytest.mark.django_db
def test_an_address_is_taken_whatever_its_case() -> None:
    UserFactory.create(email="amara@example.test")
    with pytest.raises(Conflict):
        workspaces.create_user(email="AMARA@example.test", password=PASSWORD)


@pytest.mark.django_db
def test_a_workspace_has_an_owner_an_account_and_a_note_in_the_log() -> None:
    owner = UserFactory.create()
    workspace = workspaces.create(name=" Acme ", owner=owner)
    assert (workspace.name, workspace.slug, workspace.plan.is_default) == ("Acme", "acme", True)
    assert (workspace.memberships.get().user, workspace.memberships.get().may_edit) == (owner, True)
    assert CreditAccount.objects.get(workspace=workspace).balance == 0
    assert AuditEntry.objects.get().action == "workspace.created"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("Acme & Söhne", ["acme-sohne", "acme-sohne-2", "acme-sohne-3"]),
        ("日本", ["workspace", "workspace-2", "workspace-3"]),
        ("x" * 120, ["x" * 50, "x" * 50 + "-2", "x" * 50 + "-3"]),
        ("<script>", ["script", "script-2", "script-3"]),
    ],
)
def test_namesakes_get_addresses_of_their_own(name: str, slugs: list[str]) -> None:
    owner = UserFactory.create()
    assert [workspaces.create(name=name, owner=owner).slug for _ in range(3)] == slugs


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_workspace_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidInput):
        workspaces.create(name=name, owner=UserFactory.create())
    assert not Workspace.objects.exists()


def test_namesakes_at_once_get_addresses_of_their_own(committed: None) -> None:
    owner = UserFactory.create()

    def create(number: int) -> str:
        try:
            return workspaces.create(name="Acme", owner=owner).slug
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        slugs = set(threads.map(create, range(8)))
    assert slugs == {"acme", *(f"acme-{number}" for number in range(2, 9))}


def test_of_ten_first_starts_at_once_one_succeeds(committed: None) -> None:
    def start(number: int) -> bool:
        try:
            workspaces.first_start(
                email=f"p{number}@example.test", password=PASSWORD, name="", workspace_name="Acme"
            )
        except PermissionDenied:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(start, range(10))) == 1
    assert User.objects.count() == Workspace.objects.count() == 1
