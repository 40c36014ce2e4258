"""Invitations: several at once, single use, bound to an address, seats, races; who may give what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from editor.access import invitation_links, second_factor
from editor.access.actor import Actor
from editor.errors import Conflict, EditorError, InvalidInput, LimitExceeded, NotFound, PermissionDenied
from editor.models import AuditEntry, Invitation, Membership, Plan, Role, User, Workspace
from editor.operations import invitations, joining, members
from editor.operations.second_factors import NewPasskey
from editor.queries import members as member_queries
from tests.factories import PASSWORD, UserFactory, make_actor, make_member
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


def invite(actor: Actor, email: str = "sofia@acme.test", **fields: Any) -> Invitation:
    [result] = invitations.invite(actor=actor, emails=[email], **{"role": Role.EDITOR, **fields})
    assert result.invitation, result.problem
    return result.invitation


def link(invitation: Invitation) -> invitation_links.Opened:
    return invitation_links.read(invitation_links.token(invitation))


def end(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1), sent_at=timezone.now() - timedelta(days=8)
    )


def limit_seats(workspace: Workspace, seats: int) -> None:
    Plan.objects.filter(workspaces=workspace).update(seats=seats)
    workspace.plan.refresh_from_db()


def test_the_good_addresses_are_invited_and_the_others_have_their_reasons(owner: Actor) -> None:
    member = make_member(owner.workspace)
    invite(owner, "ben@acme.test")
    found = invitations.invite(
        actor=owner,
        emails=["Sofia@Acme.test", "sofia@acme.test", member.email, "ben@acme.test", "nobody", "x@y.test"],
        role=Role.VIEWER,
        monthly_cap=300,
        message=" Welcome! ",
    )
    assert [(one.email, one.problem.partition(".")[0]) for one in found] == [
        ("sofia@acme.test", ""),
        (member.email, "is a member already"),
        ("ben@acme.test", "is invited already"),
        ("nobody", "is not an email address"),
        ("x@y.test", ""),
    ]
    row = Invitation.objects.get(email="sofia@acme.test")
    assert (row.role, row.monthly_cap, row.message, row.invited_by) == ("viewer", 300, "Welcome!", owner.user)
    assert row.expires_at - timezone.now() > timedelta(days=6, hours=23)
    assert AuditEntry.objects.filter(action="invitation.created").count() == 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"emails": []}, "emails"),
        ({"emails": [f"p{n}@acme.test" for n in range(101)]}, "emails"),
        ({"role": Role.OWNER}, "role"),
        ({"monthly_cap": -1}, "monthly_cap"),
        ({"monthly_cap": 2**31}, "monthly_cap"),
        ({"message": "x" * 501}, "message"),
    ],
    ids=str,
)
def test_invalid_invitations_are_rejected_at_their_field(
    owner: Actor, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        invitations.invite(actor=owner, **{"emails": ["a@acme.test"], "role": Role.EDITOR, **fields})
    assert set(caught.value.fields) == {field}
    assert not Invitation.objects.exists()


def test_a_workspace_invites_a_limited_number_a_day(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 2)
    invite(owner, "a@acme.test")
    invite(owner, "b@acme.test")
    with pytest.raises(LimitExceeded):
        invite(owner, "c@acme.test")


def test_the_link_makes_a_new_person_a_member_once(owner: Actor) -> None:
    invitation = invite(owner, role=Role.VIEWER, access_image_editor=False, monthly_cap=7)
    user, membership = joining.sign_up(
        opened=link(invitation), name=" Sofia  Brandt ", password=PASSWORD, address="192.0.2.7"
    )
    assert (user.name, user.email) == ("Sofia Brandt", "sofia@acme.test")
    assert user.check_password(PASSWORD)
    assert (membership.role, membership.access_image_editor, membership.monthly_cap) == ("viewer", False, 7)
    entry = AuditEntry.objects.get(action="invitation.accepted")
    assert (entry.actor, entry.target, entry.ip) == (user, "sofia@acme.test", "192.0.2.7")
    with pytest.raises(Conflict, match="already used"):
        joining.accept(opened=link(invitation), user=user)


@pytest.mark.parametrize("mailed", [True, False])
def test_only_a_mailed_link_proves_the_address(owner: Actor, mailed: bool) -> None:
    token = invitation_links.token(invite(owner), mailed=mailed)
    user, _ = joining.sign_up(opened=invitation_links.read(token), name="Sofia", password=PASSWORD)
    assert EmailAddress.objects.get(user=user).verified is mailed


def test_only_a_proved_address_begins_with_a_passkey(owner: Actor, settings: Settings) -> None:
    settings.SENDS_MAIL = True
    invitation = invite(owner)
    passkey = NewPasskey(user_id=uuid4(), name="Phone", credential={})
    fields: dict[str, Any] = {"name": "Sofia", "password": "", "passkey": passkey}
    with pytest.raises(PermissionDenied, match="Choose a password"):
        joining.sign_up(opened=link(invitation), **fields)
    mailed = invitation_links.read(invitation_links.token(invitation, mailed=True))
    user, _ = joining.sign_up(opened=mailed, **fields)
    assert second_factor.exists(user)
    assert not user.has_usable_password()


def test_whoever_has_an_account_has_to_sign_in_to_it(owner: Actor) -> None:
    user = UserFactory.create(email="sofia@acme.test")
    invitation = invite(owner)
    with pytest.raises(Conflict):
        joining.sign_up(opened=link(invitation), name="Mallory", password="another password 1")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert joining.accept(opened=link(invitation), user=user).workspace == owner.workspace


def test_an_invitation_is_bound_to_its_address(owner: Actor) -> None:
    invitation = invite(owner)
    with pytest.raises(PermissionDenied, match=r"for sofia@acme\.test, and you are signed in as"):
        joining.accept(opened=link(invitation), user=UserFactory.create())
    assert joining.accept(opened=link(invitation), user=UserFactory.create(email="Sofia@acme.test"))


def test_ended_revoked_and_declined_invitations_do_not_work(owner: Actor) -> None:
    user = UserFactory.create(email="sofia@acme.test")
    ended = invite(owner)
    end(ended)
    with pytest.raises(Conflict, match="has ended"):
        joining.accept(opened=link(ended), user=user)
    revoked = invite(owner)  # replaces the one that has ended
    for _ in range(2):
        invitations.revoke(actor=owner, invitation=revoked)
    with pytest.raises(Conflict, match="revoked"):
        joining.accept(opened=link(revoked), user=user)
    declined = invite(owner)
    joining.decline(opened=link(declined))
    with pytest.raises(Conflict, match="revoked"):
        joining.accept(opened=link(declined), user=user)
    assert not owner.workspace.members.filter(pk=user.pk).exists()
    assert AuditEntry.objects.filter(action__in=["invitation.revoked", "invitation.declined"]).count() == 2


def test_a_removed_member_needs_a_new_invitation(owner: Actor) -> None:
    first = invite(owner)
    user, membership = joining.sign_up(opened=link(first), name="Sofia", password=PASSWORD)
    members.remove(actor=owner, membership=membership)
    with pytest.raises(Conflict, match="already used"):
        joining.accept(opened=link(first), user=user)
    assert joining.accept(opened=link(invite(owner)), user=user).user == user


def test_sent_again_it_lives_longer_and_one_that_ended_gets_another_link(owner: Actor) -> None:
    invitation = invite(owner)
    with pytest.raises(LimitExceeded, match="less than a minute"):
        invitations.send_again(actor=owner, invitation=invitation)
    long_ago = timezone.now() - timedelta(days=2)
    Invitation.objects.update(sent_at=long_ago, expires_at=timezone.now() + timedelta(days=1))
    again = invitations.send_again(actor=owner, invitation=invitation)
    assert again.nonce == invitation.nonce
    assert again.expires_at - timezone.now() > timedelta(days=6)
    old = invitation_links.token(again)
    end(again)
    renewed = invitations.send_again(actor=owner, invitation=again)
    assert renewed.is_open
    with pytest.raises(NotFound, match="replaced by a newer one"):
        invitation_links.read(old)
    joining.sign_up(opened=link(renewed), name="Sofia", password=PASSWORD)
    with pytest.raises(Conflict, match="already used"):
        invitations.send_again(actor=owner, invitation=renewed)


@pytest.mark.parametrize("token", ["", "x", "a.b.c:sig", "🦊", "a" * 3000])
def test_forged_tokens_are_not_found(token: str) -> None:
    with pytest.raises(NotFound):
        invitation_links.read(token)


def test_members_and_open_invitations_take_the_seats(owner: Actor) -> None:
    limit_seats(owner.workspace, 3)
    found = invitations.invite(actor=owner, emails=[f"{name}@acme.test" for name in "abc"], role=Role.EDITOR)
    assert [one.problem.partition(" of")[0] for one in found] == ["", "", "All seats"]
    first, second = (one.invitation for one in found if one.invitation)
    end(first)
    invite(owner, "c@acme.test")
    with pytest.raises(Conflict, match="All seats"):
        invitations.send_again(actor=owner, invitation=first)
    limit_seats(owner.workspace, 1)
    with pytest.raises(Conflict, match="Ask an owner or admin"):
        joining.sign_up(opened=link(second), name="Ben", password=PASSWORD)
    assert not User.objects.filter(email="b@acme.test").exists()
    limit_seats(owner.workspace, 3)
    joining.sign_up(opened=link(second), name="Ben", password=PASSWORD)
    assert member_queries.seats_used(owner.workspace) == 3


def test_service_accounts_take_no_seat(owner: Actor) -> None:
    make_member(owner.workspace)
    service = UserFactory.create(is_service_account=True)
    Membership.objects.create(workspace=owner.workspace, user=service, role=Role.EDITOR)
    assert member_queries.seats_used(owner.workspace) == 2
    assert service.pk not in {row.user_id for row in member_queries.page(owner.workspace).members}


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_editors_and_viewers_cannot_invite(owner: Actor, role: Role) -> None:
    invitation = invite(owner)
    other = make_actor(owner.workspace, user=make_member(owner.workspace, role=role))
    acts: list[Callable[[], object]] = [
        lambda: invite(other, "x@acme.test", role=Role.VIEWER),
        lambda: invitations.send_again(actor=other, invitation=invitation),
        lambda: invitations.revoke(actor=other, invitation=invitation),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    assert Invitation.objects.get() == invitation


def test_nobody_gives_more_than_they_have(owner: Actor) -> None:
    fields: dict[str, Any] = {"role": Role.ADMIN, "access_image_editor": False, "monthly_cap": 100}
    admin = make_actor(owner.workspace, user=make_member(owner.workspace, **fields))
    for more in ({"access_image_editor": True}, {"monthly_cap": 101}, {"monthly_cap": None}):
        with pytest.raises(PermissionDenied, match="more than you have"):
            invite(admin, **{**fields, **more})
    assert invite(admin, **fields)
    assert invite(admin, "v@acme.test", role=Role.VIEWER, monthly_cap=0)


def test_invitations_end_with_their_sender_s_right_to_invite(owner: Actor) -> None:
    user = make_member(owner.workspace, role=Role.ADMIN)
    admin = make_actor(owner.workspace, user=user)
    kept = invite(admin)
    members.change(actor=owner, membership=admin.membership, role=Role.VIEWER)
    kept.refresh_from_db()
    assert kept.state == "revoked"
    entry = AuditEntry.objects.get(action="invitation.revoked")
    assert (entry.actor, entry.target) == (owner.user, kept.email)


@pytest.mark.usefixtures("committed")
def test_of_two_who_accept_one_invitation_at_once_one_joins() -> None:
    invitation = invite(make_actor())
    opened = link(invitation)
    refused: list[EditorError] = []

    def accept() -> None:
        try:
            joining.sign_up(opened=opened, name="Second", password=PASSWORD)
        except EditorError as error:
            refused.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=accept)
    with transaction.atomic():
        joining.sign_up(opened=opened, name="First", password=PASSWORD)
        other.start()
        wait_until(somebody_waits_for_our_locks)
    other.join(PATIENCE)
    assert [error.message for error in refused] == ["This invitation was already used."]
    assert User.objects.get(email="sofia@acme.test").name == "First"
    assert Membership.objects.count() == 2


@pytest.mark.usefixtures("committed")
def test_two_invitations_at_once_do_not_share_the_last_seat() -> None:
    owner = make_actor()
    limit_seats(owner.workspace, 2)
    found: list[str] = []

    def second() -> None:
        try:
            [result] = invitations.invite(actor=owner, emails=["second@acme.test"], role=Role.EDITOR)
            found.append(result.problem)
        finally:
            connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        invite(owner, "first@acme.test")
        other.start()
        wait_until(somebody_waits_for_our_locks)
    other.join(PATIENCE)
    assert found == [invitations.NO_SEAT]
