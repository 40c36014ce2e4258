"""Notices: once about the same thing, read, and forgotten after thirty days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from editor.access import invitation_links
from editor.access.actor import Actor
from editor.contexts import notices as contexts
from editor.errors import NotFound
from editor.models import Job, Notice, Role, Status, User, Workspace
from editor.operations import edit_notices, invitations, joining, key_expiry, members, notices, outcomes
from editor.operations.notices import Kind
from editor.queries import notices as queries
from tests.factories import UserFactory, make_actor, make_member, make_workspace
from tests.operations.test_key_expiry import made
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory.create(email="sofia@acme.test")


def tell(user: User, source: str = "1", **fields: Any) -> bool:
    return notices.add(user=user, kind=Kind.CREDITS_LOW, text="Few are left.", source=source, **fields)


def test_the_same_thing_is_told_once(user: User) -> None:
    assert [tell(user), tell(user), tell(user, "2")] == [True, False, True]
    assert tell(UserFactory.create())
    assert queries.unread(user) == 2


def test_a_service_account_gets_none(user: User) -> None:
    user.is_service_account = True
    assert not tell(user)
    assert not Notice.objects.exists()


def test_a_long_text_is_cut(user: User) -> None:
    notices.add(user=user, kind=Kind.CREDITS_LOW, text="x" * 301, source="1")
    text = Notice.objects.get().text
    assert (len(text), text[-1]) == (300, "…")


def test_reading_one_and_all(user: User) -> None:
    for source in ("1", "2", "3"):
        tell(user, source)
    other = UserFactory.create()
    tell(other)
    notices.read(notice=queries.newest(user)[0])
    assert queries.unread(user) == 2
    assert [notices.read_all(user=user), notices.read_all(user=user)] == [2, 0]
    assert (queries.unread(user), queries.unread(other)) == (0, 1)


def test_they_are_forgotten_after_thirty_days(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "FORGOTTEN_AT_ONCE", 2)
    for source in "123456":
        tell(user, source)
    old = timezone.now() - timedelta(days=30, seconds=1)
    Notice.objects.filter(source__in=["1", "2", "3"]).update(created_at=old)
    Notice.objects.filter(source="4").update(created_at=old + timedelta(seconds=60))
    assert [notices.forget() for _ in range(3)] == [2, 1, 0]
    assert set(Notice.objects.values_list("source", flat=True)) == {"4", "5", "6"}


def test_one_about_a_workspace_is_shown_only_to_its_members(user: User) -> None:
    workspace = make_workspace()
    tell(user, workspace=workspace)
    assert (queries.unread(user), queries.newest(user)) == (0, [])
    with pytest.raises(NotFound):
        queries.one(user, Notice.objects.get().pk)
    membership = members.join(workspace=workspace, user=user, role=Role.EDITOR, actor=None)
    assert membership
    assert queries.unread(user) == 1
    Workspace.objects.filter(pk=workspace.pk).update(deleted_at=timezone.now())
    assert queries.unread(user) == 0


def test_nobody_reads_those_of_others(user: User) -> None:
    tell(user)
    with pytest.raises(NotFound):
        queries.one(UserFactory.create(), Notice.objects.get().pk)


# --- Invitations -------------------------------------------------------------------------


@pytest.fixture
def owner() -> Actor:
    return make_actor()


def invite(owner: Actor) -> None:
    [one] = invitations.invite(actor=owner, emails=["Sofia@acme.test"], role=Role.EDITOR)
    assert one.invitation


def test_who_has_proved_the_address_is_told_of_an_invitation_and_gets_to_it(owner: Actor, user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    invite(owner)
    [notice] = queries.newest(user)
    assert notice.text == f"{owner.user.display_name} invited you to Acme Studio."
    assert notice.path == ""  # the link is not stored
    token = contexts.target(notice).strip("/").rpartition("/")[2]
    opened = invitation_links.read(token)
    assert not opened.mailed
    joining.accept(opened=opened, user=user)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("verified", [False, None])
def test_who_has_not_proved_it_is_told_nothing(owner: Actor, user: User, verified: bool | None) -> None:
    if verified is not None:
        EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    invite(owner)
    assert not Notice.objects.exists()


def test_an_invitation_that_ended_leads_nowhere(owner: Actor, user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    invite(owner)
    row = owner.workspace.invitations.get()
    invitations.revoke(actor=owner, invitation=row)
    with pytest.raises(NotFound, match="not open any more"):
        contexts.target(Notice.objects.get())


# --- Keys --------------------------------------------------------------------------------


def test_a_key_that_expires_is_told_of_once_without_a_mail_server_too() -> None:
    workspace = make_workspace()
    maker = make_actor(workspace, user=make_member(workspace))
    key = made(maker, ends_in=3)
    key.refresh_from_db()
    assert key.expires_at
    for _ in range(2):
        key_expiry.mail_expiring()
    [notice] = queries.newest(maker.user)
    assert notice.text == (
        f"The API key “Website backend” of Acme Studio ends on {key.expires_at:%-d %B}. Rotate it before."
    )
    assert notice.path == f"/w/{workspace.slug}/settings/api-keys/"


# --- Edits -------------------------------------------------------------------------------


def ended(workspace: Workspace, *, took: int, **fields: Any) -> Job:
    job = add_job(workspace, price=0, status=Status.PROCESSING, **fields)
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=took))
    job.refresh_from_db()
    outcomes.end_failed(job=job, code="timeout", message="It took too long.")
    return job


@pytest.mark.parametrize(("took", "channel", "expected"), [(11, "web", 1), (9, "web", 0), (11, "api", 0)])
def test_a_long_edit_of_the_studio_is_told_of(took: int, channel: str, expected: int) -> None:
    workspace = make_workspace()
    person = workspace.members.get()
    job = ended(workspace, took=took, channel=channel, created_by=person)
    assert queries.unread(person) == expected
    if expected:
        assert queries.newest(person)[0].path == f"/w/{workspace.slug}/gallery/edits/{job.pk}/"
        edit_notices.seen(user_id=person.pk, job_ids=[job.pk])
        assert queries.unread(person) == 0


def test_an_edit_of_nobody_ends_without_a_notice() -> None:
    workspace = make_workspace()
    person = make_member(workspace)
    job = add_job(workspace, price=0, status=Status.PROCESSING, created_by=person)
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=60))
    job.refresh_from_db()
    assert job.created_by == person
    person.delete()  # while the edit runs
    outcomes.end_failed(job=job, code="timeout", message="It took too long.")
    assert not Notice.objects.exists()
