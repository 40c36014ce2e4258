"""Invitations: several at once, single use, bound to an address, seats, races; who may give what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from editor.access import invitation_links
from editor.access.actor import Actor
from editor.errors import Conflict, InvalidInput, LimitExceeded, NotFound, PermissionDenied
from editor.models import AuditEntry, Invitation, Membership, Plan, Role, User, Workspace
from editor.operations import invitations, joining, members
from editor.queries import members as member_queries
from tests.factories import PASSWORD, UserFactory, make_actor, make_member
from tests.operations.inviting import end, invite, link
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


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
