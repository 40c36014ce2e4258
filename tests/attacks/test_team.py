"""Attacks by members, former members and their keys: more rights than given, and data after the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import credentials, invitation_links, lookups
from editor.access.actor import Actor
from editor.access.scopes import MANAGE
from editor.concurrency.threads import in_thread
from editor.contexts import audit as audit_contexts
from editor.contexts import mails as mail_contexts
from editor.errors import EditorError, InvalidInput, LimitExceeded, PermissionDenied, SecondFactorRequired
from editor.models import ApiKey, AuditEntry, Invitation, Membership, Role, User, Workspace
from editor.operations import api_keys, deletions, invitations, mails, members, people, workspaces
from editor.operations.mails import Kind
from editor.queries import export
from tests.factories import PASSWORD, UserFactory, make_actor, make_image, make_member
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor(name="Acme Studio")


def of_role(owner: Actor, role: Role, **fields: Any) -> Actor:
    user = make_member(owner.workspace, role=role, **fields)
    return make_actor(owner.workspace, user=user)


def invite(actor: Actor, email: str = "sofia@acme.test") -> invitations.Invited:
    return invitations.invite(actor=actor, emails=[email], role=Role.ADMIN, access_image_editor=False)[0]


def queued() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="send_mail").order_by("id"))


# --- Keys ---------------------------------------------------------------------------------------


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
    admin = of_role(owner, Role.ADMIN)
    found = invite(admin).invitation
    assert found
    if lose == "removed":
        members.remove(actor=owner, membership=admin.membership)
    else:
        members.change(actor=owner, membership=admin.membership, role=Role.VIEWER)
    entry = AuditEntry.objects.get(action="invitation.revoked")
    assert (entry.target, entry.actor) == (found.email, owner.user)


def test_an_admin_with_a_cap_gets_no_key_with_a_higher_one_by_rotation(owner: Actor) -> None:
    key, _ = api_keys.create(actor=owner, name="Website", of_workspace=True)
    low, _ = api_keys.create(actor=owner, name="Small", of_workspace=True, monthly_cap=10)
    admin = of_role(owner, Role.ADMIN, monthly_cap=10)
    with pytest.raises(InvalidInput, match="limit"):
        api_keys.rotate(actor=admin, key=key, overlap=0)
    assert ApiKey.objects.get(pk=key.pk).is_live
    assert api_keys.rotate(actor=admin, key=low, overlap=0)
    assert api_keys.rotate(actor=owner, key=key, overlap=0)


def test_an_owners_key_that_manages_members_makes_no_owner_and_changes_none(owner: Actor) -> None:
    """Whoever stole it would delete the workspace."""
    other = of_role(owner, Role.OWNER)
    accomplice = of_role(owner, Role.VIEWER)
    key, _ = api_keys.create(actor=owner, name="Script", scopes=[MANAGE])
    acting = credentials.actor_of(key, channel="api")
    with pytest.raises(PermissionDenied, match="API key"):
        members.change(actor=acting, membership=accomplice.membership, role=Role.OWNER)
    with pytest.raises(PermissionDenied, match="API key"):
        members.change(actor=acting, membership=other.membership, role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match="API key"):
        members.remove(actor=acting, membership=other.membership)
    with pytest.raises(PermissionDenied, match="API key"):
        deletions.delete(actor=acting, name=owner.workspace.name)
    assert members.change(actor=acting, membership=accomplice.membership, role=Role.ADMIN)


@pytest.mark.parametrize("of_workspace", [True, False])
@pytest.mark.parametrize("lose", ["removed", "demoted"])
def test_nobody_gets_a_key_while_they_lose_the_right_to_it(
    owner: Actor, lose: str, of_workspace: bool
) -> None:
    """The request began before: its actor has the former rights."""
    admin = of_role(owner, Role.ADMIN)
    membership = Membership.objects.get(pk=admin.membership.pk)
    if lose == "removed":
        members.remove(actor=owner, membership=membership)
    else:
        members.change(actor=owner, membership=membership, role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        api_keys.create(actor=admin, name="Late", of_workspace=of_workspace)
    assert not ApiKey.objects.exists()
    assert not User.objects.filter(is_service_account=True).exists()


# --- Streams that outlive a membership ---------------------------------------------------------------


def leave(actor: Actor) -> None:
    Membership.objects.filter(pk=actor.membership.pk).delete()


def demote(actor: Actor) -> None:
    Membership.objects.filter(pk=actor.membership.pk).update(role=Role.VIEWER)


def end_sessions(actor: Actor) -> None:
    """As after “Sign out everywhere”, because somebody else has the session."""
    from django.contrib.sessions.models import Session

    Session.objects.all().delete()


ENDS: list[Callable[[Actor], None]] = [leave, demote, end_sessions]


async def read_until_it_ends(response: Any, change: Callable[[], Any]) -> tuple[bytes, bool]:
    """The stream with the change after its first piece, and whether it was cut off."""
    pieces = b""
    try:
        async for piece in response:
            if not pieces:
                await in_thread(change)
            pieces += piece
    except EditorError:
        return pieces, True
    return pieces, False


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("end", ENDS)
async def test_an_export_that_is_read_slowly_ends_with_the_right_to_it(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[Actor], None]
) -> None:
    monkeypatch.setattr(export, "PAGE", 1)

    def prepare() -> Actor:
        actor = make_actor()
        for colour in ("red", "green", "blue"):
            make_image(actor, colour=colour)
        return actor

    actor = await in_thread(prepare)
    client = AsyncClient()
    await in_thread(client.force_login, actor.user)
    response = await client.post(reverse("workspace_export", args=[actor.workspace.slug]))
    _, cut = await read_until_it_ends(response, lambda: end(actor))
    assert cut


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("end", ENDS)
async def test_an_audit_log_that_is_read_slowly_ends_with_the_right_to_it(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[Actor], None]
) -> None:
    monkeypatch.setattr(audit_contexts, "CSV_BATCH", 1)

    def prepare() -> Actor:
        owner = make_actor()
        return of_role(owner, Role.ADMIN)

    admin = await in_thread(prepare)
    client = AsyncClient()
    await in_thread(client.force_login, admin.user)
    response: Any = await client.get(reverse("audit_csv", args=[admin.workspace.slug]))
    content, cut = await read_until_it_ends(response, lambda: end(admin))
    assert cut
    assert b"workspace.created" not in content


# --- Limits and races ---------------------------------------------------------------------------------


def test_two_requests_do_not_create_more_workspaces_than_one_person_may_own() -> None:
    """The second waits for the first: both lock the account's row before they count."""
    user = UserFactory.create()
    with CaptureQueriesContext(connection) as queries:
        workspaces.create_own(user=user, name="One")
    locks = [one["sql"] for one in queries if "FOR NO KEY UPDATE" in one["sql"]]
    assert any('"editor_user"' in sql for sql in locks)


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


# --- Words of strangers ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1", "\n=1", "\uff1d1+1", "x;@SUM(A1)", " =1"])
def test_no_part_of_a_csv_cell_is_a_formula_in_any_locale(text: str) -> None:
    """Where the list separator is a semicolon, a spreadsheet splits cells at it."""
    for part in audit_contexts.harmless(text).replace("\n", ";").replace("\t", ";").split(";"):
        assert not part.strip().startswith(("=", "+", "-", "@", "\uff1d"))


# --- Deletion and the log -----------------------------------------------------------------------------------


def test_an_owner_without_the_demanded_second_factor_restores_nothing(owner: Actor) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(second_factor_required=True)
    deletions.delete(actor=owner, name=owner.workspace.name)
    with pytest.raises(SecondFactorRequired):
        lookups.owner_of_deleted(owner.user, owner.workspace.slug)


def test_a_declined_invitation_is_not_recorded_as_the_portals_own_act(owner: Actor) -> None:
    found = invite(owner).invitation
    assert found
    token = invitation_links.token(found)
    signed_in(UserFactory.create()).post(reverse("invitation_decline", args=[token]))
    entry = AuditEntry.objects.get(action="invitation.declined")
    assert (entry.actor_kind, entry.ip) == (AuditEntry.ActorKind.VISITOR, "127.0.0.1")


def test_a_key_of_the_workspace_is_nobody_for_whom_an_owner_would_have_to_stay(owner: Actor) -> None:
    api_keys.create(actor=owner, name="Website", of_workspace=True)
    assert people.only_owner_of(owner.user) == []
    assert people.alone_in(owner.user) == [owner.workspace]


def test_a_download_that_was_refused_is_not_recorded_as_an_export(owner: Actor) -> None:
    image = make_image(owner)
    client, path = signed_in(owner.user), reverse("gallery_zip", args=[owner.workspace.slug])
    held = [client.get(path, {"images": str(image.pk)}) for _ in range(3)]
    assert [one.status_code for one in held] == [200, 200, 429]
    assert AuditEntry.objects.filter(action="images.exported").count() == 2
