"""The Members page, and the page that an invitation's link opens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.access.actor import Actor
from editor.models import Invitation, Membership, Role, Status, User, Workspace
from editor.queries import members as member_queries
from tests.factories import UserFactory, make_actor, make_member, make_workspace
from tests.web.factors import add_app
from tests.web.inviting import invite
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


def read(client: Client, owner: Actor, **query: Any) -> str:
    response = client.get(reverse("members", args=[owner.workspace.slug]), query)
    assert response.status_code == 200
    return response.content.decode()


def add_members(workspace: Workspace, number: int) -> None:
    made = UserFactory.create_batch(number, password="!")
    Membership.objects.bulk_create(
        Membership(workspace=workspace, user=user, role=Role.EDITOR, monthly_cap=9) for user in made
    )
    Invitation.objects.bulk_create(
        Invitation(
            workspace=workspace,
            email=f"invited-{user.pk}@acme.test",
            nonce="x",
            expires_at=timezone.now() + timedelta(days=1),
        )
        for user in made
    )
    for user in made[:3]:
        add_job(workspace, status=Status.COMPLETED, created_by=user, charged=4)


def test_what_was_approved_does_not_fill_a_cap(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace, monthly_cap=8)
    add_job(owner.workspace, status=Status.COMPLETED, created_by=mei, charged=4)
    add_job(owner.workspace, status=Status.COMPLETED, created_by=mei, price=5, charged=5, approved=True)
    page = read(client, owner)
    assert '<b>4</b> <span class="muted">of 8 · 5 approved</span>' in page
    assert '<progress max="8" value="4"' in page
    assert "Cap reached" not in page
    assert "9 credits spent" in page


def test_it_shows_what_members_may_do_and_spent(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace, monthly_cap=4)
    add_job(owner.workspace, status=Status.COMPLETED, created_by=mei, charged=4)
    page = read(client, owner)
    assert f'aria-label="Role of {mei.display_name}"' in page
    assert f'aria-label="Change cap of {mei.display_name}"' in page
    assert "Cap reached" in page
    assert "4 credits spent in" in page
    assert "This portal sends no mail" in page


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_others_see_who_is_there_without_controls_and_spending(owner: Actor, role: Role) -> None:
    invite(owner)
    member = make_member(owner.workspace, role=role)
    page = read(signed_in(member), owner)
    assert owner.user.email in page
    for hidden in ("Role of", "Change cap", "This month", "Pending invitations", "sofia@acme.test", "Remove"):
        assert hidden not in page


def test_an_admin_has_no_controls_for_owners(owner: Actor) -> None:
    admin = make_member(owner.workspace, role=Role.ADMIN)
    page = read(signed_in(admin), owner)
    assert f"More for {owner.user.display_name}" not in page
    assert "Make owner" not in page


def test_a_page_of_many_members_is_small_and_takes_as_many_queries(owner: Actor, client: Client) -> None:
    add_members(owner.workspace, 3)
    read(client, owner)
    with CaptureQueriesContext(connection) as few:
        read(client, owner)
    add_members(owner.workspace, 1000)
    with CaptureQueriesContext(connection) as many:
        page = read(client, owner)
    assert len(many) == len(few)
    assert len(page.encode()) < 150_000
    assert page.count('aria-label="Role of') == member_queries.PAGE - 1
    assert "Page 1, 1004 members" in page


def test_members_are_found_by_name_and_address(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace)
    User.objects.filter(pk=mei.pk).update(name="Mei Tanaka")
    assert mei.email in read(client, owner, q="tanaka")
    assert owner.user.email not in read(client, owner, q="tanaka").partition('id="team"')[2]
    assert "Nobody has" in read(client, owner, q="nobody at all")
    for odd in ({"page": "0"}, {"page": "x"}, {"page": "99999"}, {"q": "%_\\"}):
        read(client, owner, **odd)


def test_a_change_is_saved_and_its_row_comes_back(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace)
    url = reverse("member_change", args=[owner.workspace.slug, mei.pk])
    for field, value in (("role", "viewer"), ("monthly_cap", "1,200"), ("access", "0")):
        response = client.post(url, {field: value}, headers=HTMX)
        assert response.status_code == 200
        assert f'hx-target="#member-{mei.pk}"' in response.content.decode()
    row = Membership.objects.get(user=mei)
    assert (row.role, row.monthly_cap, row.access_image_editor) == ("viewer", 1200, False)
    assert client.post(url, {"monthly_cap": ""}).status_code == 302
    row.refresh_from_db()
    assert row.monthly_cap is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"role": "king"}, 400), ({"monthly_cap": "-1"}, 400), ({"monthly_cap": "9" * 11}, 400), ({}, 400)],
    ids=str,
)
def test_impossible_changes_are_refused(
    owner: Actor, client: Client, fields: dict[str, str], status: int
) -> None:
    mei = make_member(owner.workspace)
    url = reverse("member_change", args=[owner.workspace.slug, mei.pk])
    assert client.post(url, fields, headers=HTMX).status_code == status


def test_a_refused_role_comes_back_with_the_old_value_and_the_reason(owner: Actor, client: Client) -> None:
    url = reverse("member_change", args=[owner.workspace.slug, owner.user.pk])
    make_member(owner.workspace)
    response = client.post(url, {"role": "admin"}, headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 409
    assert page.strip().startswith('<p class="problem"')
    # Also in the row, which replaces that at once. Morphing would keep the role that was chosen.
    assert f'hx-target="#member-{owner.user.pk}" hx-swap="outerHTML"' in page
    row = page.partition(f'id="member-{owner.user.pk}"')[2]
    assert "only owner" in row.partition(f'id="problem-{owner.user.pk}"')[2].partition("</div>")[0]


def test_a_refused_cap_stays_in_its_field_with_the_reason(owner: Actor, client: Client) -> None:
    url = reverse("member_change", args=[owner.workspace.slug, owner.user.pk])
    page = client.post(url, {"monthly_cap": "lots"}, headers=HTMX).content.decode()
    assert "Enter a whole number" in page
    assert "<tr" not in page


def test_removing_and_owning_are_confirmed(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace)
    for name, question in (("member_owner", "an owner?"), ("member_remove", "Remove Person")):
        url = reverse(name, args=[owner.workspace.slug, mei.pk])
        assert question in client.get(url).content.decode()
        assert question in client.get(url, headers=HTMX).content.decode()
        assert client.post(url).status_code == 302
    assert not owner.workspace.memberships.filter(user=mei).exists()


def test_a_lost_second_factor_is_reset_after_a_question(owner: Actor, client: Client) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(second_factor_required=True)
    add_app(owner.user)
    mei = make_member(owner.workspace)
    url = reverse("member_second_factor", args=[owner.workspace.slug, mei.pk])
    page = read(client, owner)
    assert page.count("No second factor") == 1
    assert url not in page, "there is none to reset"
    add_app(mei)
    page = read(client, owner)
    assert url in page
    assert "No second factor" not in page
    assert "Reset the second factor of Person" in client.get(url, headers=HTMX).content.decode()
    assert "No second factor" in client.post(url, headers=HTMX).content.decode()
    mei.memberships.create(workspace=make_workspace(name="Other"), role=Role.VIEWER)
    add_app(mei)
    refused = client.post(url, headers=HTMX)
    assert (refused.status_code, "Only an operator" in refused.content.decode()) == (403, True)


def test_activity_is_noted_with_a_page(owner: Actor, client: Client) -> None:
    read(client, owner)
    assert Membership.objects.get(user=owner.user).last_active_at is not None
