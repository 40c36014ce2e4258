"""Attacks with invitations and mails: too many, after the right to invite ended, in the portal's name."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import credentials, invitation_links
from editor.access.actor import Actor
from editor.access.scopes import MANAGE
from editor.contexts import mails as mail_contexts
from editor.errors import LimitExceeded
from editor.models import AuditEntry, Invitation, Membership, Role
from editor.operations import api_keys, invitations, mails, members, workspaces
from editor.operations.mails import Kind
from tests.factories import PASSWORD, UserFactory, make_actor, make_member
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor(name="Acme Studio")


def invite(actor: Actor, email: str = "sofia@acme.test") -> invitations.Invited:
    return invitations.invite(actor=actor, emails=[email], role=Role.ADMIN, access_image_editor=False)[0]


def queued() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="send_mail").order_by("id"))


def test_invitations_by_a_revoked_key_of_the_workspace_end_with_it(owner: Actor) -> None:
    """Whoever stole the key would come in by a link of their own."""
    key, _ = api_keys.create(actor=owner, name="Script", scopes=[MANAGE], of_workspace=True)
    found = invite(credentials.actor_of(key, channel="api")).invitation
    assert found
    api_keys.revoke(actor=owner, key=key)
    found.refresh_from_db()
    assert found.state == "revoked"
    assert AuditEntry.objects.get(action="invitation.revoked").target == found.email


@pytest.mark.parametrize("lose", ["removed", "demoted"])
def test_invitations_that_end_with_the_right_to_invite_are_in_the_log(owner: Actor, lose: str) -> None:
    admin = make_actor(owner.workspace, user=make_member(owner.workspace, role=Role.ADMIN))
    found = invite(admin).invitation
    assert found
    if lose == "removed":
        members.remove(actor=owner, membership=admin.membership)
    else:
        members.change(actor=owner, membership=admin.membership, role=Role.VIEWER)
    entry = AuditEntry.objects.get(action="invitation.revoked")
    assert (entry.target, entry.actor) == (found.email, owner.user)


def test_several_workspaces_give_one_person_no_more_invitations(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 2)
    invite(owner, "one@acme.test")
    invite(owner, "two@acme.test")
    other = make_actor(workspaces.create_own(user=owner.user, name="Another"))
    with pytest.raises(LimitExceeded):
        invite(other, "three@acme.test")
    assert invite(make_actor(), "three@acme.test").invitation


def test_one_address_gets_few_invitations_a_day(owner: Actor, settings: Settings) -> None:
    settings.SENDS_MAIL = True
    for number in range(30):
        actor = make_actor(name=f"Workspace {number}")
        found = invite(actor, "victim@acme.test")
        if found.problem:
            assert "tomorrow" in found.problem
            break
        assert found.invitation
        Invitation.objects.filter(pk=found.invitation.pk).update(sent_at=None)
        try:
            invitations.send_again(actor=actor, invitation=found.invitation)
        except LimitExceeded:
            break
    assert len(queued()) <= 10
    assert invite(owner, "other@acme.test").invitation


def test_one_address_gets_few_mails_of_a_kind(owner: Actor, settings: Settings) -> None:
    """As by an account that somebody else created with the address, and signs in to again and again."""
    settings.SENDS_MAIL = True
    for _ in range(100):
        mails.notify(kind=Kind.NEW_SIGN_IN, email="victim@acme.test")
    assert len(queued()) <= 60
    mails.notify(kind=Kind.PASSWORD_CHANGED, email="victim@acme.test")
    assert queued()[-1].args["kind"] == Kind.PASSWORD_CHANGED


def test_whoever_accepts_an_invitation_chooses_no_host_for_the_mail_to_the_inviter(
    owner: Actor, settings: Settings
) -> None:
    settings.SENDS_MAIL, settings.BASE_URL, settings.ALLOWED_HOSTS = True, "", [".acme.test", "testserver"]
    found = invite(owner).invitation
    assert found
    client = Client(HTTP_HOST="evil.acme.test:4444")
    path = reverse("invitation", args=[invitation_links.token(found)])
    client.post(path, {"name": "Sofia", "password": PASSWORD})
    assert Membership.objects.filter(user__email="sofia@acme.test").exists()
    joined = [one.args for one in queued() if one.args["kind"] == Kind.JOINED]
    assert [args["origin"] for args in joined] == [""]


def test_a_message_in_an_invitation_cannot_pose_as_the_portal(owner: Actor) -> None:
    found = invite(owner).invitation
    assert found
    message = "Hi\n\nOpen the invitation within seven days:\n\nhttps://evil.test/"
    details = {"invitation": str(found.pk), "workspace": "Acme", "by": "Amara", "message": message}
    mail = mail_contexts.build(kind=Kind.INVITED, email=found.email, origin="https://a.test", details=details)
    assert mail
    lines = str(mail.body).splitlines()
    start = lines.index("> Hi")
    assert lines[start : start + 5] == [
        "> Hi",
        ">",
        "> Open the invitation within seven days:",
        ">",
        "> https://evil.test/",
    ]
    assert not any(line.startswith("https://evil") for line in lines)


def test_a_declined_invitation_is_not_recorded_as_the_portals_own_act(owner: Actor) -> None:
    found = invite(owner).invitation
    assert found
    token = invitation_links.token(found)
    signed_in(UserFactory.create()).post(reverse("invitation_decline", args=[token]))
    entry = AuditEntry.objects.get(action="invitation.declined")
    assert (entry.actor_kind, entry.ip) == (AuditEntry.ActorKind.VISITOR, "127.0.0.1")
