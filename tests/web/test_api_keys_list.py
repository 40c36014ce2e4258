"""The list of API keys: who sees which, and who rotates and revokes them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.scopes import READ
from editor.models import ApiKey, Membership, Role, Workspace
from editor.operations import api_keys, last_used
from tests.factories import make_actor, make_member, make_workspace
from tests.web.keys import BARE, DAY, act, create, page_of, row_of
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> Actor:
    return make_actor(workspace)


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


# --- The list ----------------------------------------------------------------------------


def test_a_row_shows_everything_but_the_secret(client: Client, workspace: Workspace) -> None:
    editor = make_actor(workspace, user=make_member(workspace))
    used, bare = api_keys.create(actor=editor, name="Used", scopes=[READ], expires_in=90 * DAY)
    last_used.note_key(used)
    api_keys.create(actor=editor, name="Unused")
    page = body(client.get(page_of(workspace)))
    row = row_of(page, "Used")
    for message in (editor.user.name, ">image_editor:read<", "just now", "Active", "until"):
        assert message in row
    assert "Never" in row_of(page, "Unused")
    assert "does not expire" in row_of(page, "Unused")
    assert bare[12:] not in page
    assert used.secret_hash not in page


def test_active_keys_come_first_followed_by_the_latest_ended_ones(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    api_keys.create(actor=owner, name="Alive")
    for number in range(25):
        key, _ = api_keys.create(actor=owner, name=f"Old {number}")
        api_keys.revoke(actor=owner, key=key)
    expired, _ = api_keys.create(actor=owner, name="Expired")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    page = body(client.get(page_of(workspace)))
    names = re.findall(r"<b[^>]*>([^<]+)</b>\s*<code>", page)
    assert names == ["Alive", "Expired", *(f"Old {number}" for number in range(24, 5, -1))]
    assert "Revoked" in row_of(page, "Old 24")
    assert "Expired" in row_of(page, "Expired")
    assert "<button" not in row_of(page, "Old 24") + row_of(page, "Expired")


def test_managers_see_all_keys_of_the_workspace_and_others_their_own(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    api_keys.create(actor=make_actor(name="Rivals"), name="Theirs")
    api_keys.create(actor=owner, name="Owners")
    editor = make_member(workspace)
    api_keys.create(actor=make_actor(workspace, user=editor), name="Editors")

    def names(who: Client) -> set[str]:
        return set(re.findall(r"<b[^>]*>([^<]+)</b>\s*<code>", body(who.get(page_of(workspace)))))

    assert names(client) == {"Owners", "Editors"}
    assert names(signed_in(make_member(workspace, role=Role.ADMIN))) == {"Owners", "Editors"}
    assert names(signed_in(editor)) == {"Editors"}
    Membership.objects.filter(user=editor).update(role=Role.VIEWER)
    assert names(signed_in(editor)) == {"Editors"}


def test_a_viewer_gets_an_explanation_instead_of_the_form(client: Client, workspace: Workspace) -> None:
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    page = body(viewer.get(page_of(workspace)))
    assert "Access Image Editor" in page
    assert 'name="scopes"' not in page
    for headers in ({}, HTMX):
        for changes in ({}, {"name": ""}):
            assert create(viewer, workspace, headers=headers, **changes).status_code == 403
    assert not ApiKey.objects.exists()


def test_the_settings_link_goes_to_a_page_the_user_may_see(client: Client, workspace: Workspace) -> None:
    editor = signed_in(make_member(workspace))
    studio = reverse("studio", args=[workspace.slug])
    providers = reverse("provider_keys", args=[workspace.slug])
    assert f'href="{reverse("general", args=[workspace.slug])}"' in body(editor.get(studio))
    page = " ".join(body(client.get(page_of(workspace))).split())
    assert f'href="{page_of(workspace)}" aria-current="page"' in page
    assert providers in page
    assert providers not in body(editor.get(page_of(workspace)))


# --- Rotating and revoking ---------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_rotating_shows_the_new_key_once_and_how_long_the_old_one_works(
    client: Client, workspace: Workspace, owner: Actor, headers: dict[str, str]
) -> None:
    old, _ = api_keys.create(actor=owner, name="n8n", scopes=[READ])
    answer = act(client, old, "rotate", headers, overlap=str(DAY))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    (bare,) = set(BARE.findall(body(answer)))
    new = api_keys.find(bare)
    assert new is not None
    assert (new.name, new.scopes, new.replaces) == ("n8n", [READ], old)
    assert "Key “<bdi>n8n</bdi>” rotated" in body(answer)
    assert "The old key works until" in body(answer)
    page = body(client.get(page_of(workspace)))
    assert not BARE.search(page)
    rows = re.findall(r'<tr data-state="(\w+)"', page)
    assert rows == ["active", "replaced"]
    assert page.count(">Rotate</button>") == 1
    assert page.count(">Revoke</button>") == 2
    if headers:
        assert re.findall(r'<hx-partial hx-target="([^"]+)"', body(answer)) == ["#api-keys"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_rotating_twice_creates_one_key(
    client: Client, workspace: Workspace, owner: Actor, headers: dict[str, str]
) -> None:
    old, _ = api_keys.create(actor=owner, name="n8n")
    act(client, old, "rotate", headers, overlap=str(DAY))
    again = act(client, old, "rotate", headers, overlap=str(DAY))
    assert again.status_code == 409
    assert not BARE.search(body(again))
    assert ApiKey.objects.count() == 2


def test_rotating_without_overlap_reports_that_the_old_key_has_ended(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    old, _ = api_keys.create(actor=owner, name="n8n")
    assert "no longer works" in body(act(client, old, "rotate", HTMX, overlap="0"))
    rows = re.findall(r'<tr data-state="(\w+)"', body(client.get(page_of(workspace))))
    assert rows == ["active", "replaced"]


@pytest.mark.parametrize("overlap", ["", "x", "-1", "5", "²", "9" * 5000])
def test_an_overlap_that_is_not_offered_is_refused(
    client: Client, workspace: Workspace, owner: Actor, overlap: str
) -> None:
    key, _ = api_keys.create(actor=owner, name="n8n")
    assert act(client, key, "rotate", HTMX, overlap=overlap).status_code == 400
    assert ApiKey.objects.count() == 1


def test_a_manager_revokes_keys_of_others_and_rotates_only_their_own(
    client: Client, workspace: Workspace
) -> None:
    editor = make_actor(workspace, user=make_member(workspace))
    key, _ = api_keys.create(actor=editor, name="n8n")
    row = row_of(body(client.get(page_of(workspace))), "n8n")
    assert "Rotate" not in row
    assert "Revoke" in row
    assert act(client, key, "rotate", overlap="0").status_code == 403
    assert act(client, key, "revoke").status_code == 302
    assert not ApiKey.objects.get().is_live


def test_an_editor_revokes_their_own_and_nobody_elses(workspace: Workspace, owner: Actor) -> None:
    editor = make_actor(workspace, user=make_member(workspace))
    own, owners = (api_keys.create(actor=who, name="n8n")[0] for who in (editor, owner))
    browser = signed_in(editor.user)
    assert act(browser, owners, "revoke").status_code == 403
    assert act(browser, own, "revoke").status_code == 302
    assert list(ApiKey.objects.filter(revoked_at=None)) == [owners]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_revoking_ends_the_key_and_confirms_it(
    client: Client, workspace: Workspace, owner: Actor, headers: dict[str, str]
) -> None:
    key, bare = api_keys.create(actor=owner, name="n8n")
    answer = act(client, key, "revoke", headers)
    assert answer.status_code == (200 if headers else 302)
    page = body(answer if headers else client.get(page_of(workspace)))
    assert "Key “n8n” revoked." in page
    assert "Revoked" in row_of(page, "n8n")
    found = api_keys.find(bare)
    assert found is not None
    assert not found.is_live
