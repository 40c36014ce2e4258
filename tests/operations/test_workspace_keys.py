"""Keys of a workspace: they act as service accounts, outlive their maker, and can do no more than they."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.access import lookups
from editor.access.credentials import actor_of
from editor.access.permissions import Permission
from editor.access.scopes import EVERYTHING, MANAGE, READ, WRITE
from editor.errors import InsufficientCredits, InvalidInput, NotAuthenticated, NotFound, PermissionDenied
from editor.models import ApiKey, Membership, Role, User
from editor.models.users import SERVICE_DOMAIN
from editor.operations import api_keys, limits, mails, people, queue
from editor.queries import workspaces
from tests.factories import PASSWORD, make_actor, make_member, make_workspace
from tests.operations.key_rows import colleague, noted
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


def of_workspace(actor: Any, name: str = "Website", **wanted: Any) -> ApiKey:
    return api_keys.create(actor=actor, name=name, of_workspace=True, **wanted)[0]


def account(actor: Any) -> User:
    return of_workspace(actor).created_by


# --- Rights ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "role", "edits"),
    [
        ([READ], Role.VIEWER, False),
        ([WRITE], Role.EDITOR, True),
        ([EVERYTHING], Role.EDITOR, True),
        ([MANAGE], Role.ADMIN, True),  # to give it to others
        ([MANAGE, READ], Role.ADMIN, True),
        ([MANAGE, EVERYTHING], Role.ADMIN, True),
    ],
)
def test_a_key_gets_the_least_rights_that_its_scopes_need(scopes: list[str], role: Role, edits: bool) -> None:
    key = of_workspace(make_actor(), scopes=scopes, monthly_cap=7)
    acting = actor_of(key, channel="api")
    membership = acting.membership
    assert (membership.role, membership.access_image_editor, membership.monthly_cap) == (role, edits, 7)
    assert (acting.user.name, str(acting.user)) == ("Website", "Website")
    assert acting.user.email.endswith(f"@{SERVICE_DOMAIN}")
    assert (noted("created").after or {})["belongs_to"] == "workspace"


def test_a_key_for_members_gives_no_more_than_its_maker_has() -> None:
    workspace = make_workspace()
    person = make_member(workspace, role=Role.ADMIN, access_image_editor=False)
    admin = make_actor(workspace, user=person)
    acting = actor_of(of_workspace(admin, scopes=[MANAGE]), channel="api")
    assert acting.membership.access_image_editor is False


def test_it_outlives_its_maker_and_a_persons_key_does_not() -> None:
    owner = make_actor()
    admin = colleague(owner, Role.ADMIN)
    kept, lost = of_workspace(admin), api_keys.create(actor=admin, name="mine")[0]
    Membership.objects.filter(user=admin.user).delete()
    assert actor_of(kept, channel="api").may(Permission.EDIT)
    with pytest.raises(NotAuthenticated):
        actor_of(lost, channel="api")


def test_any_manager_of_keys_rotates_and_revokes_it_and_editors_do_not() -> None:
    owner = make_actor()
    key = of_workspace(colleague(owner, Role.ADMIN))
    editor = colleague(owner)
    for refused in (lambda: api_keys.rotate(actor=editor, key=key, overlap=0), lambda: _revoke(editor, key)):
        with pytest.raises(PermissionDenied):
            refused()
    new, _ = api_keys.rotate(actor=owner, key=key, overlap=3600)
    assert (new.created_by, new.replaces) == (key.created_by, key)
    _revoke(colleague(owner, Role.ADMIN), key)
    assert actor_of(new, channel="api").may(Permission.EDIT), "the new key has the same account"
    _revoke(owner, new)
    assert not Membership.objects.filter(user=key.created_by).exists()
    assert User.objects.filter(pk=key.created_by_id).exists(), "the gallery and the ledger name it"


def _revoke(actor: Any, key: ApiKey) -> None:
    api_keys.revoke(actor=actor, key=key)


def test_revoking_a_persons_key_leaves_their_membership() -> None:
    owner = make_actor()
    _revoke(owner, api_keys.create(actor=owner, name="mine")[0])
    assert Membership.objects.filter(user=owner.user).exists()


def test_only_managers_make_them_and_with_no_scope_beyond_their_own_permissions() -> None:
    owner = make_actor()
    with pytest.raises(PermissionDenied):
        of_workspace(colleague(owner), scopes=[READ])
    admin = colleague(owner, Role.ADMIN, access_image_editor=False)
    with pytest.raises(PermissionDenied):
        of_workspace(admin, scopes=[EVERYTHING])
    made = of_workspace(admin, scopes=[MANAGE])
    assert actor_of(made, channel="api").may(Permission.MEMBERS_MANAGE)
    with pytest.raises(PermissionDenied):
        api_keys.rotate(actor=admin, key=of_workspace(owner), overlap=0)


def test_the_cap_is_the_keys_own_and_not_above_its_makers() -> None:
    owner = make_actor()
    admin = colleague(owner, Role.ADMIN, monthly_cap=5)
    for cap in (None, 6, -1, 2**31):
        with pytest.raises(InvalidInput) as refused:
            of_workspace(admin, monthly_cap=cap)
        assert set(refused.value.fields) == {"monthly_cap"}
    assert not ApiKey.objects.exists()
    assert not User.objects.filter(is_service_account=True).exists()
    acting = actor_of(of_workspace(admin, monthly_cap=5), channel="api")
    limits.check_credits(actor=acting, price=5)
    with pytest.raises(InsufficientCredits):
        limits.check_credits(actor=acting, price=6)
    assert of_workspace(owner, monthly_cap=None).created_by.memberships.get().monthly_cap is None


# --- A service account is not a person -----------------------------------------------------


def test_it_has_no_password_and_gets_none() -> None:
    user = account(make_actor())
    user.set_password(PASSWORD)
    user.save()
    assert not user.has_usable_password()
    assert not user.check_password(PASSWORD)
    # Even with a hash that somebody wrote into the row.
    ordinary = User(email="x@example.test")
    ordinary.set_password(PASSWORD)
    user.password = ordinary.password
    user.save()
    assert not user.check_password(PASSWORD)
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_every_way_of_signing_in_ends_at_the_same_hook(rf: Any) -> None:
    """allauth calls it before a sign-in with a password, a passkey, an identity provider or after a reset."""
    from allauth.account.adapter import get_adapter

    from editor.web.account import AccountAdapter

    user = account(make_actor())
    adapter = get_adapter()
    assert isinstance(adapter, AccountAdapter)
    refused = adapter.pre_login(
        rf.get("/"),
        user,
        email_verification="none",
        signal_kwargs=None,
        email=None,
        signup=False,
        redirect_url=None,
    )
    assert refused is not None
    assert refused["Location"] == reverse("account_inactive")


def test_it_is_no_member_on_pages_even_with_a_session() -> None:
    owner = make_actor()
    user = account(owner)
    with pytest.raises(NotFound):
        lookups.actor(user, owner.workspace.slug)
    assert signed_in(user).get(reverse("studio", args=[owner.workspace.slug])).status_code == 404


def test_it_gets_no_mail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(queue, "enqueue_mail", lambda **mail: sent.append(mail["email"]))
    settings.SENDS_MAIL = True
    owner = make_actor()
    user = account(owner)
    for email in (user.email, user.email.upper(), owner.user.email):
        mails.ask(kind=mails.Kind.RESET, email=email, origin="https://portal.example")
        mails.notify(kind=mails.Kind.ROLE_CHANGED, email=email)
    assert sent == [owner.user.email] * 2


def test_the_admin_lists_people_only() -> None:
    owner = make_actor()
    user = account(owner)
    owner.user.is_staff = owner.user.is_superuser = True
    owner.user.save()
    client = signed_in(owner.user)
    assert user.email not in client.get(reverse("admin:editor_user_changelist")).content.decode()
    assert client.get(reverse("admin:editor_user_change", args=[user.pk])).status_code == 302


def test_it_counts_as_nobody() -> None:
    owner = make_actor()
    of_workspace(owner)
    assert people.only_owner_of(owner.user) == []
    assert people.alone_in(owner.user) == [owner.workspace]
    assert workspaces.contents(owner.workspace).members == 1
    assert [row.people for row in workspaces.memberships(owner.user)] == [1]  # type: ignore[attr-defined]
    assert workspaces.progress(owner.workspace).team is False
