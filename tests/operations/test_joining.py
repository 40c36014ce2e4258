"""Whoever has an invitation's link: joins with a new account or theirs, once, at the invited address."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction
from pytest_django import Settings

from editor.access import invitation_links, second_factor
from editor.access.actor import Actor
from editor.errors import Conflict, EditorError, NotFound, PermissionDenied
from editor.models import AuditEntry, Membership, Role, User
from editor.operations import invitations, joining, members
from editor.operations.second_factors import NewPasskey
from tests.factories import PASSWORD, UserFactory, make_actor
from tests.operations.inviting import end, invite, link
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


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


@pytest.mark.parametrize("token", ["", "x", "a.b.c:sig", "🦊", "a" * 3000])
def test_forged_tokens_are_not_found(token: str) -> None:
    with pytest.raises(NotFound):
        invitation_links.read(token)


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
