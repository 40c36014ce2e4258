"""`manage.py bootstrap`: running it again changes nothing, and a live key is never lost."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from editor.models import (
    ApiKey,
    AuditEntry,
    CreditAccount,
    LedgerEntry,
    Membership,
    Plan,
    Role,
    User,
    Workspace,
)
from editor.operations import credits
from tests.factories import PASSWORD, UserFactory, make_workspace
from tests.management.bootstrapping import bootstrap, key_in

pytestmark = pytest.mark.django_db


def test_it_creates_an_owner_who_can_sign_in_and_a_workspace_with_credits() -> None:
    assert "/w/acme-studio/" in bootstrap()
    workspace = Workspace.objects.get()
    assert Membership.objects.get().role == Role.OWNER
    assert CreditAccount.objects.get(workspace=workspace).balance == 100
    client = Client()
    client.post("/accounts/login/", {"login": "amara@example.test", "password": PASSWORD})
    assert client.get("/w/acme-studio/").status_code == 200


def test_the_first_account_is_the_operator_and_the_next_is_not() -> None:
    bootstrap()
    bootstrap(email="bea@example.test", workspace="Second")
    first, second = User.objects.order_by("date_joined")
    assert (first.is_staff, first.is_superuser) == (True, True)
    assert (second.is_staff, second.is_superuser) == (False, False)


def test_it_does_not_make_an_existing_user_operator() -> None:
    UserFactory.create(email="amara@example.test")
    bootstrap()
    assert not User.objects.get().is_staff


def test_running_it_again_changes_nothing(key_file: Path) -> None:
    def rows() -> list[int]:
        tables = (User, Workspace, Membership, CreditAccount, LedgerEntry, ApiKey, Plan, AuditEntry)
        return [table.objects.count() for table in tables]

    bootstrap(api_key_file=key_file, requests_per_minute=10, concurrent_jobs=3)
    before, key = rows(), key_file.read_text()
    for name in ("Acme Studio", " Acme Studio "):
        bootstrap(
            email=" AMARA@example.test",
            workspace=name,
            api_key_file=key_file,
            requests_per_minute=10,
            concurrent_jobs=3,
        )
    assert rows() == before
    assert key_file.read_text() == key


@pytest.mark.parametrize("wanted", [0, 7, 100, 5000])
def test_the_balance_is_exactly_what_was_requested(wanted: int) -> None:
    bootstrap()
    bootstrap(credits=wanted)
    account = CreditAccount.objects.get()
    assert account.balance == wanted
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == wanted
    assert LedgerEntry.objects.count() == (1 if wanted == 100 else 2)


def test_spent_credits_are_topped_up_again() -> None:
    bootstrap()
    credits.adjust(workspace=Workspace.objects.get(), amount=-60, actor=None, note="spent")
    bootstrap()
    assert CreditAccount.objects.get().balance == 100


def test_another_email_and_name_create_another_tenant() -> None:
    bootstrap()
    bootstrap(email="bea@example.test", workspace="Rivals", credits=5)
    assert dict(CreditAccount.objects.values_list("workspace__slug", "balance")) == {
        "acme-studio": 100,
        "rivals": 5,
    }
    assert list(Membership.objects.values_list("user__email", "workspace__slug")) == [
        ("amara@example.test", "acme-studio"),
        ("bea@example.test", "rivals"),
    ]


def second_person(**options: Any) -> tuple[str, int]:
    """The role in the first person's workspace, and its balance."""
    bootstrap(**{"email": "bea@example.test", "credits": None, **options})
    membership = Membership.objects.get(user__email="bea@example.test")
    return membership.role, CreditAccount.objects.get(workspace=membership.workspace).balance


def test_a_second_person_joins_as_an_editor_and_the_balance_stays() -> None:
    bootstrap()
    credits.adjust(workspace=Workspace.objects.get(), amount=-60, actor=None, note="spent")
    assert second_person() == (Role.EDITOR, 40)
    assert second_person() == (Role.EDITOR, 40)
    assert Membership.objects.get(user__email="amara@example.test").role == Role.OWNER


@pytest.mark.parametrize("role", Role.values)
def test_a_role_is_given_only_on_request_and_then_kept(role: str) -> None:
    bootstrap()
    for options in ({"role": role}, {}):
        assert second_person(**options) == (role, 100)
    assert second_person(credits=7) == (role, 7)


def test_running_it_again_takes_no_right_back() -> None:
    bootstrap()
    second_person()
    Membership.objects.filter(user__email="bea@example.test").update(access_image_editor=False)
    second_person()
    assert not Membership.objects.get(user__email="bea@example.test").access_image_editor
    second_person(role="editor")
    assert Membership.objects.get(user__email="bea@example.test").access_image_editor


def test_the_only_owner_is_not_demoted() -> None:
    bootstrap()
    second_person()
    with pytest.raises(CommandError, match="the only owner"):
        bootstrap(role="viewer")


def test_a_new_workspace_needs_an_owner_and_no_credits() -> None:
    with pytest.raises(CommandError, match="owner"):
        bootstrap(role="editor")
    assert not Workspace.objects.exists()
    bootstrap(role="owner", credits=None)
    assert CreditAccount.objects.get().balance == 0
    assert not LedgerEntry.objects.exists()


def test_the_first_person_of_an_empty_workspace_is_its_owner() -> None:
    bootstrap()
    Membership.objects.all().delete()
    assert second_person() == (Role.OWNER, 100)


def test_a_new_password_replaces_the_old_one() -> None:
    bootstrap()
    bootstrap(password="another long password")
    assert User.objects.get().check_password("another long password")


def test_the_key_file_contains_the_bare_key_and_is_private(key_file: Path) -> None:
    bootstrap(api_key_file=key_file)
    key = key_in(key_file)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert len(key_file.read_text().split()) == 1
    assert (key.workspace.name, key.scopes, key.expires_at) == ("Acme Studio", ["image_editor"], None)
    assert [path.name for path in key_file.parent.iterdir()] == ["key"]


def test_a_live_key_of_another_workspace_is_left_alone(key_file: Path) -> None:
    bootstrap(api_key_file=key_file)
    before = key_file.read_text()
    for options in ({}, {"revoke": True}):
        with pytest.raises(CommandError, match="another workspace"):
            bootstrap(email="bea@example.test", workspace="Rivals", api_key_file=key_file, **options)
    assert key_file.read_text() == before
    assert key_in(key_file).is_live
    assert not Workspace.objects.filter(name="Rivals").exists()


def test_revoke_ends_the_key_and_the_next_run_creates_a_new_one(key_file: Path) -> None:
    bootstrap(api_key_file=key_file)
    old = key_in(key_file)
    for _ in range(2):
        bootstrap(api_key_file=key_file, revoke=True)
        assert not key_in(key_file).is_live
    assert ApiKey.objects.count() == 1
    bootstrap(api_key_file=key_file)
    assert key_in(key_file).is_live
    assert key_in(key_file) != old


def test_an_expired_key_is_replaced(key_file: Path) -> None:
    began = timezone.now()
    bootstrap(api_key_file=key_file, expires_in=3600)
    old = key_in(key_file)
    assert old.expires_at and began <= old.expires_at - timedelta(hours=1) <= timezone.now()
    ApiKey.objects.update(expires_at=timezone.now())
    bootstrap(api_key_file=key_file)
    assert key_in(key_file) != old


def test_a_file_with_other_content_gets_a_key_and_mode_0600(key_file: Path) -> None:
    key_file.parent.mkdir()
    key_file.write_text("flk_ of an installation that is gone")
    key_file.chmod(0o644)
    bootstrap(api_key_file=key_file)
    assert key_in(key_file).is_live
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_revoking_a_file_without_a_key_is_an_error(key_file: Path) -> None:
    with pytest.raises(CommandError, match="contains no key"):
        bootstrap(api_key_file=key_file, revoke=True)
    assert not key_file.exists()


def test_limits_create_a_plan_for_the_workspace() -> None:
    other = make_workspace(name="Rivals")
    standard = (other.plan.requests_per_minute, other.plan.concurrent_jobs)
    bootstrap(requests_per_minute=7)
    bootstrap(concurrent_jobs=2)
    plan = Workspace.objects.get(name="Acme Studio").plan
    assert (plan.requests_per_minute, plan.concurrent_jobs, plan.is_default) == (7, 2, False)
    other.plan.refresh_from_db()
    assert (other.plan.requests_per_minute, other.plan.concurrent_jobs) == standard


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"credits": -1}, "negative"),
        ({"credits": 10**12}, "credits"),
        ({"password": "short"}, "at least 10"),
        ({"email": "nonsense"}, "valid email"),
        ({"workspace": " "}, "1 to 120"),
        ({"workspace": "x" * 121}, "1 to 120"),
        ({"requests_per_minute": 0}, "1 or more"),
        ({"concurrent_jobs": -1}, "1 or more"),
        ({"scopes": "image_editor,everything"}, "everything"),
        ({"expires_in": 0}, "A key can be valid"),
        ({"expires_in": -5}, "A key can be valid"),
        ({"expires_in": 10**15}, "A key can be valid"),
    ],
)
def test_invalid_options_are_reported_and_nothing_is_created(
    key_file: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        bootstrap(api_key_file=key_file, **options)
    assert not User.objects.exists()
    assert not Workspace.objects.exists()
    assert not key_file.exists()
