"""Second factors: asked for at sign-in, limited, demanded, reset; their secrets are encrypted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import credentials, lookups, second_factor
from editor.access.credentials import Holder
from editor.errors import NotFound, PermissionDenied, SecondFactorRequired
from editor.models import ApiKey, AuditEntry, Membership, Role, User, Workspace
from editor.operations import api_keys, queue, second_factors
from editor.operations.mails import Kind
from tests.factories import PASSWORD, make_actor, make_member, make_workspace
from tests.web.factors import SECRET, add_app, code_now
from tests.web.requests import HTMX, body, by_password, is_signed_in, signed_in

pytestmark = pytest.mark.django_db

LOGIN, CODE, ACCOUNT = reverse("account_login"), reverse("mfa_authenticate"), reverse("account")


@pytest.fixture
def user() -> User:
    return make_member(make_workspace(name="Acme Studio"))


@pytest.fixture
def demanding(user: User) -> Workspace:
    """The user's workspace, which demands a second factor."""
    workspace = user.workspaces.get()
    workspace.second_factor_required = True
    workspace.save()
    return workspace


def queued() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=queue.SEND_MAIL))


def test_the_password_alone_does_not_sign_in(user: User) -> None:
    add_app(user)
    client = by_password(user)
    assert not is_signed_in(client)
    assert client.get(ACCOUNT).status_code == 302
    assert client.post(CODE, {"code": code_now()})["Location"] == "/"
    assert is_signed_in(client)


def test_a_code_works_once(user: User) -> None:
    add_app(user)
    code = code_now()
    by_password(user).post(CODE, {"code": code})
    client = by_password(user)
    assert "was used already" in body(client.post(CODE, {"code": code}))
    assert not is_signed_in(client)


def test_a_recovery_code_works_once(user: User) -> None:
    first, *_ = add_app(user)
    client = by_password(user)
    client.post(CODE, {"code": first})
    assert is_signed_in(client)
    again = by_password(user)
    again.post(CODE, {"code": first})
    assert not is_signed_in(again)


def test_guessing_codes_is_limited_and_the_owners_browser_is_not_locked_out(user: User) -> None:
    add_app(user)
    owner = by_password(user)
    owner.post(CODE, {"code": code_now()})
    owner.post(reverse("account_logout"))
    Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).delete()
    thief = by_password(user, REMOTE_ADDR="198.51.100.7")
    pages = [body(thief.post(CODE, {"code": "000000"})) for _ in range(6)]
    assert ["Too many wrong codes" in page for page in pages] == [False] * 5 + [True]
    owner.post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert "Too many" not in body(owner.post(CODE, {"code": "000000"}))


def test_guesses_from_many_networks_count_together_but_not_in_a_known_browser(user: User) -> None:
    add_app(user)
    owner = by_password(user)
    owner.post(CODE, {"code": code_now()})
    refused = 0
    for number in range(32):
        thief = by_password(user, REMOTE_ADDR=f"2001:db8:{number:x}::1")
        refused += "Too many wrong codes" in body(thief.post(CODE, {"code": "000000"}))
    assert refused == 2
    owner.post(reverse("account_logout"))
    owner.post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert "Too many" not in body(owner.post(CODE, {"code": "000000"}))


def test_an_ipv6_client_cannot_guess_on_from_its_other_addresses(user: User) -> None:
    add_app(user)
    pages = []
    for number in range(6):
        thief = by_password(user, REMOTE_ADDR=f"2001:db8::{number + 1:x}")
        pages.append(body(thief.post(CODE, {"code": "000000"})))
    assert ["Too many wrong codes" in page for page in pages] == [False] * 5 + [True]


def test_a_changed_factor_ends_other_sessions_and_is_recorded_and_mailed(
    user: User, settings: Settings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.SENDS_MAIL = True
    here, there = by_password(user), by_password(user)
    here.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = here.get(reverse("mfa_activate_totp"))
    secret = here.session["mfa.totp.secret"]
    assert f'<code class="secret">{secret}</code>' in body(page)
    assert "<svg" in body(page) and "data:" not in body(page)
    with django_capture_on_commit_callbacks(execute=True):
        here.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
    assert second_factor.exists(user)
    assert here.get(ACCOUNT).status_code == 200
    assert there.get(ACCOUNT).status_code == 302
    entry = AuditEntry.objects.get(action="account.second_factor_added")
    assert (entry.data, entry.ip) == ({"factor": "Authenticator app"}, "127.0.0.1")
    (mail,) = [row.args for row in queued() if row.args["kind"] == Kind.FACTOR_CHANGED]
    assert (mail["email"], mail["details"]) == (user.email, {"change": "Authenticator app added"})


def test_secrets_are_encrypted_and_rotate(user: User, settings: Settings) -> None:
    codes = add_app(user)
    for row in Authenticator.objects.all():
        assert SECRET not in str(row.data)
        assert "gAAAA" in str(row.data)
    settings.ENCRYPTION_KEYS = ["n" * 40, *settings.ENCRYPTION_KEYS]
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = ["n" * 40]
    client = by_password(user)
    client.post(CODE, {"code": codes[0]})
    assert is_signed_in(client)


def test_members_without_the_demanded_factor_reach_only_their_account_page(
    user: User, demanding: Workspace
) -> None:
    client = signed_in(user)
    studio = reverse("studio", args=[demanding.slug])
    assert client.get(studio)["Location"] == ACCOUNT
    assert "Acme Studio can be used only with a second factor" in body(client.get(ACCOUNT))
    refused = client.get(studio, headers=HTMX)
    assert (refused.status_code, "second factor" in body(refused)) == (403, True)
    with pytest.raises(SecondFactorRequired):
        lookups.actor(user, demanding.slug)
    add_app(user)
    assert client.get(studio).status_code == 200
    assert "can be used only" not in body(client.get(ACCOUNT))


def test_other_workspaces_stay_open(user: User, demanding: Workspace) -> None:
    other = make_workspace(owner=user, name="Other")
    assert signed_in(user).get(reverse("studio", args=[other.slug])).status_code == 200


def test_a_demand_costs_a_query_only_where_it_is_made(
    user: User, demanding: Workspace, django_assert_num_queries: object
) -> None:
    add_app(user)
    with django_assert_num_queries(3):  # type: ignore[operator]
        lookups.actor(user, demanding.slug)
    Workspace.objects.update(second_factor_required=False)
    with django_assert_num_queries(1):  # type: ignore[operator]
        lookups.actor(user, demanding.slug)


def test_keys_of_members_without_it_stop_until_it_is_set_up(user: User, demanding: Workspace) -> None:
    Workspace.objects.update(second_factor_required=False)
    made = api_keys.create(
        actor=make_actor(demanding, user=user), name="Script", scopes=["image_editor"], signed=False
    )
    key = ApiKey.objects.get()
    assert made and credentials.actor_of(key, channel="api")
    Workspace.objects.update(second_factor_required=True)
    with pytest.raises(SecondFactorRequired, match="Then the key works again"):
        credentials.actor_of(key, channel="api")
    holder = Holder(workspace_id=demanding.pk, user_id=user.pk, key_id=key.pk)
    assert isinstance(credentials.lost([holder])[holder], SecondFactorRequired)
    add_app(user)
    assert credentials.actor_of(key, channel="api").user == user
    assert credentials.lost([holder]) == {}


def test_accounts_that_act_for_a_workspace_need_none(user: User, demanding: Workspace) -> None:
    User.objects.update(is_service_account=True)
    membership = Membership.objects.select_related("workspace", "user").get(user=user)
    assert second_factor.lacking([membership]) == set()


def test_operators_need_one_for_the_admin_if_the_setting_says_so(settings: Settings) -> None:
    operator = User.objects.create_superuser("operator@example.test", PASSWORD)
    client = signed_in(operator)
    assert client.get("/admin/").status_code == 200
    settings.STAFF_SECOND_FACTOR = True
    for path in ("/admin/", "/admin/editor/user/"):
        assert client.get(path)["Location"] == ACCOUNT
    assert "the admin of Atelier can be used only with a second factor" in body(client.get(ACCOUNT))
    add_app(operator)
    assert client.get("/admin/").status_code == 200
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")


def test_an_operator_resets_the_factor_of_somebody_who_lost_it(user: User) -> None:
    add_app(user)
    theirs = by_password(user)
    theirs.post(CODE, {"code": code_now()})
    operator = User.objects.create_superuser("operator@example.test", PASSWORD)
    fields = {"action": "reset_second_factor", "_selected_action": [str(user.pk)]}
    signed_in(operator).post("/admin/editor/user/", fields)
    assert not Authenticator.objects.filter(user=user).exists()
    assert not UserSession.objects.filter(user=user).exists()
    assert is_signed_in(by_password(user))
    entry = AuditEntry.objects.get(action="account.second_factor_reset")
    assert (entry.actor, entry.target) == (operator, user.email)


def test_the_admin_does_not_show_the_rows_of_second_factors_and_sessions() -> None:
    client = signed_in(User.objects.create_superuser("operator@example.test", PASSWORD))
    for path in ("mfa/authenticator/", "usersessions/usersession/", "socialaccount/socialapp/"):
        assert client.get(f"/admin/{path}").status_code == 404


def test_an_owner_resets_the_factor_of_a_person_who_is_in_no_other_workspace(user: User) -> None:
    workspace = user.workspaces.get()
    owner = make_actor(workspace)
    membership = Membership.objects.get(user=user)
    add_app(user)
    second_factors.reset_second_factor(actor=owner, membership=membership)
    assert not second_factor.exists(user)
    assert AuditEntry.objects.get(action="account.second_factor_reset").workspace == workspace


def test_an_owner_cannot_reset_the_factor_of_people_of_other_workspaces_or_operators(user: User) -> None:
    workspace = user.workspaces.get()
    owner = make_actor(workspace)
    membership = Membership.objects.get(user=user)
    add_app(user)
    other = make_workspace(name="Other")
    Membership.objects.create(workspace=other, user=user, role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match="other workspaces"):
        second_factors.reset_second_factor(actor=owner, membership=membership)
    with pytest.raises(NotFound):
        second_factors.reset_second_factor(
            actor=make_actor(make_workspace(name="Third")), membership=membership
        )
    other.memberships.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(is_staff=True)
    membership = Membership.objects.get(pk=membership.pk)
    with pytest.raises(PermissionDenied):
        second_factors.reset_second_factor(actor=owner, membership=membership)
    admin = make_actor(workspace, user=make_member(workspace, role=Role.ADMIN))
    with pytest.raises(PermissionDenied):
        second_factors.reset_second_factor(actor=admin, membership=membership)
    assert second_factor.exists(user)


def test_sign_ins_are_recorded_and_unknown_browsers_are_mailed(user: User, settings: Settings) -> None:
    settings.SENDS_MAIL = True
    client = by_password(user)
    client.post(reverse("account_logout"))
    client.post(LOGIN, {"login": user.email, "password": "wrong"})
    client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    Client().post(LOGIN, {"login": "nobody@example.test", "password": "wrong"})
    by_password(user)
    assert AuditEntry.objects.filter(action="account.signed_in", actor=user).count() == 3
    failed = AuditEntry.objects.filter(action="account.sign_in_failed").order_by("id")
    assert [(entry.target, entry.actor_kind) for entry in failed] == [
        (user.email, "visitor"),
        ("nobody@example.test", "visitor"),
    ]
    mails = [row.args["kind"] for row in queued()]
    assert mails.count(Kind.NEW_SIGN_IN) == 1, "the first of all, and one in the same browser, are expected"
