"""New users and new workspaces."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.db import connection

from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import AuditEntry, CreditAccount, Plan, Role, User, Workspace
from editor.operations import allowances, workspaces
from tests.factories import PASSWORD, UserFactory, make_workspace
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until


@pytest.mark.django_db
def test_the_first_start_can_be_done_only_once() -> None:
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
def test_a_failed_first_start_creates_no_user() -> None:
    with pytest.raises(InvalidInput):
        workspaces.first_start(email="a@example.test", password=PASSWORD, name="", workspace_name=" ")
    assert workspaces.needs_first_start()


@pytest.mark.django_db
def test_a_new_user_is_not_an_operator() -> None:
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
def test_invalid_user_data_is_refused(email: str, password: str, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        workspaces.create_user(email=email, password=password)
    assert field in error.value.fields
    assert not User.objects.exists()


@pytest.mark.django_db
def test_sign_ups_share_a_plan_with_little_storage_that_operators_can_change() -> None:
    _, first = workspaces.sign_up(email="amara@example.test", password=PASSWORD)
    assert first.plan.storage_bytes == workspaces.SIGN_UP_STORAGE
    assert not first.plan.is_default
    Plan.objects.filter(pk=first.plan.pk).update(storage_bytes=None)
    _, second = workspaces.sign_up(email="ben@example.test", password=PASSWORD)
    assert second.plan == first.plan
    assert second.plan.storage_bytes is None


@pytest.mark.django_db
def test_email_addresses_are_unique_regardless_of_case() -> None:
    UserFactory.create(email="amara@example.test")
    with pytest.raises(Conflict):
        workspaces.create_user(email="AMARA@example.test", password=PASSWORD)


@pytest.mark.django_db
def test_a_workspace_has_an_owner_an_account_and_an_audit_entry() -> None:
    owner = UserFactory.create()
    workspace = workspaces.create(name=" Acme ", owner=owner)
    assert (workspace.name, workspace.slug, workspace.plan.is_default) == ("Acme", "acme", True)
    assert (workspace.memberships.get().user, workspace.memberships.get().role) == (owner, Role.OWNER)
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
def test_workspaces_of_the_same_name_get_distinct_slugs(name: str, slugs: list[str]) -> None:
    owner = UserFactory.create()
    assert [workspaces.create(name=name, owner=owner).slug for _ in range(3)] == slugs


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_workspace_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidInput):
        workspaces.create(name=name, owner=UserFactory.create())
    assert not Workspace.objects.exists()


def test_workspaces_created_concurrently_get_distinct_slugs(committed: None) -> None:
    owner = UserFactory.create()

    def create(number: int) -> str:
        try:
            return workspaces.create(name="Acme", owner=owner).slug
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        slugs = set(threads.map(create, range(8)))
    assert slugs == {"acme", *(f"acme-{number}" for number in range(2, 9))}


def test_of_ten_concurrent_first_starts_one_succeeds(committed: None) -> None:
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


def test_the_admin_and_the_operators_pages_change_one_workspace_at_once(committed: None) -> None:
    """Both lock the account before the workspace: none waits for the other's second lock."""
    workspace, operator = make_workspace(), UserFactory.create(is_staff=True, is_superuser=True)
    plan = Plan.objects.create(name="Team", monthly_credits=30)
    renew = allowances.renew

    def set_plan() -> None:
        try:
            workspaces.set_plan(actor=operator, workspace=workspace, plan=plan)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:

        def slowly(**fields: Any) -> bool:
            if not others:
                others.append(threads.submit(set_plan))
                wait_until(lambda: others[0].done() or somebody_waits_for_our_locks())
            return renew(**fields)

        others: list[Future[None]] = []
        with mock.patch.object(allowances, "renew", slowly):
            workspaces.save(workspace=Workspace.objects.get(pk=workspace.pk))
            others[0].result(PATIENCE)
    assert CreditAccount.objects.get(pk=workspace.pk).balance == 130
