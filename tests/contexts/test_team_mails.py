"""Mails about invitations and members: their links, and that nothing is mailed about what has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone

from editor.access import invitation_links
from editor.contexts import mails
from editor.models import Invitation, Role, Workspace
from editor.operations.mails import Kind
from tests.factories import UserFactory, make_member, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ORIGIN = "https://images.example.com"
EMAIL = "jonas@example.test"


def opened(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse(token)


# The page of the members' part, as long as it is not here.
urlpatterns = [
    path("invitations/<str:token>/", opened, name="invitation"),
    path("", include("imageeditor.urls")),
]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def invitation(workspace: Workspace) -> Invitation:
    return Invitation.objects.create(
        workspace=workspace,
        email=EMAIL,
        nonce="n" * 22,
        invited_by=workspace.members.get(),
        expires_at=timezone.now() + timedelta(days=7),
    )


def invited(invitation: Invitation, email: str = EMAIL, **details: str) -> EmailMultiAlternatives | None:
    given = {"invitation": str(invitation.pk), "workspace": "Acme Studio", "by": "Amara", "role": "Editor"}
    return mails.build(kind=Kind.INVITED, email=email, origin=ORIGIN, details=given | details)


def html(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def test_an_invitation_has_the_link_of_its_address(invitation: Invitation) -> None:
    mail = invited(invitation, message="Hello,\nsee <b>you</b>")
    assert mail is not None
    assert mail.subject == "Amara invites you to Acme Studio"
    (link,) = [line for line in str(mail.body).splitlines() if line.startswith("http")]
    assert link.startswith(f"{ORIGIN}/invitations/")
    found = invitation_links.read(link.removeprefix(f"{ORIGIN}/invitations/").rstrip("/"))
    assert (found.invitation, found.mailed) == (invitation, True)
    assert f'href="{link}"' in html(mail)
    assert "&gt; Hello,<br>&gt; see &lt;b&gt;you&lt;/b&gt;" in html(mail)


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": timezone.now()},
        {"accepted_at": timezone.now()},
        {"expires_at": timezone.now()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_ended_invitation_is_not_mailed(invitation: Invitation, changes: dict[str, Any]) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(**changes)
    assert invited(invitation) is None


def test_neither_is_one_of_another_address_or_a_deleted_workspace(invitation: Invitation) -> None:
    assert invited(invitation, email="mallory@example.test") is None
    Workspace.objects.filter(pk=invitation.workspace_id).update(deleted_at=timezone.now())
    assert invited(invitation) is None


def test_a_name_of_several_lines_stays_in_the_subject(invitation: Invitation) -> None:
    mail = invited(invitation, workspace="Acme\nBcc: everybody@example.test")
    assert mail is not None
    assert mail.subject == "Amara invites you to Acme Bcc: everybody@example.test"
    assert mail.message()["Bcc"] is None


def test_who_invited_learns_who_joined_while_they_are_a_member(workspace: Workspace) -> None:
    owner = make_member(workspace, role=Role.OWNER)
    details = {"workspace": "Acme", "slug": workspace.slug, "person": "Jonas", "address": EMAIL}
    mail = mails.build(kind=Kind.JOINED, email=owner.email, origin=ORIGIN, details=details)
    assert mail is not None
    assert f"{ORIGIN}/w/{workspace.slug}/" in mail.body
    owner.memberships.all().delete()
    assert mails.build(kind=Kind.JOINED, email=owner.email, origin=ORIGIN, details=details) is None


@pytest.mark.parametrize("kind", sorted(mails.NEED_ACCOUNT))
def test_a_deleted_account_gets_no_mail(kind: Kind) -> None:
    user = UserFactory.create(is_active=False)
    for email in (user.email, "nobody@example.test"):
        assert mails.build(kind=kind, email=email, origin=ORIGIN, details={"workspace": "Acme"}) is None


@pytest.mark.parametrize(
    "kind", [Kind.REMOVED, Kind.ROLE_CHANGED, Kind.PASSWORD_CHANGED, Kind.FACTOR_CHANGED]
)
def test_without_a_public_address_a_mail_has_no_link(kind: Kind) -> None:
    user = UserFactory.create()
    mail = mails.build(kind=kind, email=user.email, origin="", details={"workspace": "Acme", "role": "Admin"})
    assert mail is not None
    assert "://" not in mail.body
    assert "href" not in html(mail)
