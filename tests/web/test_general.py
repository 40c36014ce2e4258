"""The General page, the page of workspaces, former addresses, and the picture."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from editor.models import AuditEntry, Role, Workspace
from editor.operations import addresses, deletions
from tests.factories import UserFactory, make_actor, make_member, make_workspace, photo
from tests.web.factors import add_app
from tests.web.requests import body, signed_in
from tests.web.rows import add_image

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(name="Acme")


@pytest.fixture
def owner(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def url(workspace: Workspace, name: str = "general") -> str:
    return reverse(name, args=[workspace.slug])


def post(client: Client, workspace: Workspace, name: str, /, **fields: Any) -> Any:
    return client.post(url(workspace, name), fields, follow=True)


DEFAULTS = {"default_model": "", "trash_days": "30", "public_sharing": "editors"}


def test_an_owner_changes_everything(workspace: Workspace, owner: Client) -> None:
    assert "Saved." in body(post(owner, workspace, "general_name", name="Acme Studio"))
    post(owner, workspace, "general_defaults", **DEFAULTS | {"default_model": "pro", "trash_days": "7"})
    refused = body(post(owner, workspace, "general_security", required="on"))
    assert "Set up a second factor of your own first" in refused.partition('id="security-title"')[2]
    add_app(workspace.members.get())
    post(owner, workspace, "general_security", required="on")
    moved = post(owner, workspace, "general_address", address="acme-studio")
    assert moved.redirect_chain[-1][0] == "/w/acme-studio/settings/general/"
    page = body(moved)
    assert 'value="Acme Studio"' in page
    assert '<option value="pro" selected>' in page
    assert 'value="7"' in page
    row = Workspace.objects.get()
    assert (row.name, row.slug, row.default_model, row.trash_days) == ("Acme Studio", "acme-studio", "pro", 7)
    assert row.second_factor_required
    post(owner, row, "general_security")
    assert not Workspace.objects.get().second_factor_required


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("general_name", {"name": " "}, "Enter a name"),
        ("general_name", {"name": "x" * 121}, "1 to 120 characters"),
        ("general_address", {"address": "admin"}, "reserved"),
        ("general_address", {}, "Enter an address"),
        ("general_defaults", DEFAULTS | {"trash_days": "0"}, "from 1 to 365"),
        ("general_defaults", DEFAULTS | {"trash_days": "x"}, "whole number"),
        ("general_defaults", DEFAULTS | {"default_model": "nonsense"}, "no such model"),
        ("general_defaults", DEFAULTS | {"public_sharing": "x"}, "not one of the available choices"),
        ("general_picture", {}, "Choose an image first"),
        ("general_picture", {"picture": SimpleUploadedFile("a.png", b"<svg/>")}, "JPEG"),
    ],
)
def test_errors_stand_at_their_fields(
    workspace: Workspace, owner: Client, name: str, fields: dict[str, Any], problem: str
) -> None:
    response = owner.post(url(workspace, name), fields)
    assert response.status_code == 400
    page = body(response)
    assert problem in page
    assert 'aria-invalid="true"' in page or name == "general_defaults"
    row = Workspace.objects.get()
    assert (row.name, row.slug, row.trash_days, row.picture_name) == ("Acme", "acme", 30, "")


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        (
            Role.ADMIN,
            ["Save name", "Save defaults", "Leave"],
            ["Export", "Delete workspace", "Save security"],
        ),
        (Role.EDITOR, ["Leave", "An owner or admin"], ["Save name", "Save defaults", "First steps"]),
        (Role.VIEWER, ["Leave", "An owner or admin"], ["Save name", "Save picture"]),
    ],
)
def test_each_role_sees_what_it_may_do(
    workspace: Workspace, role: Role, shown: list[str], hidden: list[str]
) -> None:
    page = body(signed_in(make_member(workspace, role=role)).get(url(workspace)))
    assert [text for text in shown if text not in page] == []
    assert [text for text in hidden if text in page] == []


def test_an_admin_cannot_do_what_owners_do(workspace: Workspace) -> None:
    admin = signed_in(make_member(workspace, role=Role.ADMIN))
    for name in ("general_security", "workspace_export", "workspace_delete"):
        assert admin.post(url(workspace, name), {"name": "Acme"}).status_code == 403
    assert Workspace.objects.get().deleted_at is None


def test_the_last_owner_is_told_why_they_cannot_leave(workspace: Workspace, owner: Client) -> None:
    assert "only owner" in body(owner.get(url(workspace)))
    assert owner.post(url(workspace, "member_leave")).status_code == 409
    second = signed_in(make_member(workspace, role=Role.OWNER))
    assert second.post(url(workspace, "member_leave"))["Location"] == "/"
    assert workspace.memberships.count() == 1


def test_the_picture_is_shown_to_members_only(workspace: Workspace, owner: Client) -> None:
    file = SimpleUploadedFile("a.png", photo(), "image/png")
    page = body(post(owner, workspace, "general_picture", picture=file))
    workspace.refresh_from_db()
    assert f"/w/acme/picture/?{workspace.picture_version}" in page
    shown = owner.get(url(workspace, "workspace_picture"))
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert "private" in shown["Cache-Control"]
    assert signed_in(UserFactory.create()).get(url(workspace, "workspace_picture")).status_code == 404
    post(owner, workspace, "general_picture", remove="1")
    assert owner.get(url(workspace, "workspace_picture")).status_code == 404


def test_former_addresses_redirect_with_path_and_query(workspace: Workspace, owner: Client) -> None:
    addresses.change(actor=make_actor(workspace), address="acme-studio")
    old = owner.get("/w/acme/gallery/", {"q": "a b", "page": "2"})
    assert (old.status_code, old["Location"]) == (301, "/w/acme-studio/gallery/?q=a+b&page=2")
    assert "no-store" in old["Cache-Control"]
    sent = owner.post("/w/acme/settings/general/name/?a=1", {"name": "X"})
    assert (sent.status_code, sent["Location"]) == (308, "/w/acme-studio/settings/general/name/?a=1")
    assert signed_in(UserFactory.create()).get("/w/acme/gallery/").status_code == 404
    assert Client().get("/w/acme/gallery/")["Location"] == "/accounts/login/?next=/w/acme/gallery/"


def test_the_deletion_lists_what_would_be_lost_and_needs_the_name(
    workspace: Workspace, owner: Client
) -> None:
    add_image(workspace)
    page = body(owner.get(url(workspace, "workspace_delete")))
    lines = " ".join(page.split())
    for loss in ("<b>1</b> image", "<b>0</b> edits", "<b>1</b> member", "<b>100</b> credits"):
        assert loss in lines
    wrong = owner.post(url(workspace, "workspace_delete"), {"name": "acme"})
    assert wrong.status_code == 400
    assert "not the name" in body(wrong)
    done = post(owner, workspace, "workspace_delete", name="Acme")
    assert done.redirect_chain == [("/workspaces/", 302)]
    assert "Deleted workspaces" in body(done)


def test_a_deleted_workspace_is_gone_with_a_word_for_its_members(workspace: Workspace, owner: Client) -> None:
    deletions.delete(actor=make_actor(workspace), name="Acme")
    for name in ("studio", "gallery", "general", "workspace_picture"):
        gone = owner.get(url(workspace, name))
        assert gone.status_code == 404
        assert "was deleted" in body(gone)
    assert "was deleted" not in body(signed_in(UserFactory.create()).get(url(workspace, "studio")))
    assert owner.get("/").status_code == 200  # the page of workspaces
    assert "Restore" in body(owner.get("/"))


def test_only_owners_can_restore_on_their_page(workspace: Workspace, owner: Client) -> None:
    admin = signed_in(make_member(workspace, role=Role.ADMIN))
    deletions.delete(actor=make_actor(workspace), name="Acme")
    restore = reverse("workspace_restore", args=["acme"])
    for client in (admin, signed_in(UserFactory.create())):
        assert client.post(restore).status_code == 404
        assert "Restore" not in body(client.get(reverse("workspaces")))
    assert owner.post(restore)["Location"] == url(workspace)
    assert owner.get(url(workspace)).status_code == 200
    assert owner.post(restore).status_code == 404


def test_an_operator_restores_it_in_the_admin(workspace: Workspace) -> None:
    deletions.delete(actor=make_actor(workspace), name="Acme")
    operator = signed_in(UserFactory.create(is_staff=True, is_superuser=True))
    action = {"action": "restore", "_selected_action": [str(workspace.pk)]}
    page = operator.post(reverse("admin:editor_workspace_changelist"), action, follow=True)
    assert "was restored" in body(page)
    assert Workspace.objects.get().deleted_at is None
    again = operator.post(reverse("admin:editor_workspace_changelist"), action, follow=True)
    assert "not deleted" in body(again)


def test_an_operators_change_of_the_address_redirects(workspace: Workspace, owner: Client) -> None:
    operator = signed_in(UserFactory.create(is_staff=True, is_superuser=True))
    change = reverse("admin:editor_workspace_change", args=[workspace.pk])
    form = operator.get(change).context["adminform"].form
    values = {
        name: value for name, value in form.initial.items() if name in form.fields and value is not None
    }
    management = {
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "memberships-MIN_NUM_FORMS": "0",
        "memberships-MAX_NUM_FORMS": "1000",
    }
    saved = operator.post(change, {**values, **management, "slug": "acme-studio"})
    assert saved.status_code == 302
    assert owner.get("/w/acme/gallery/")["Location"] == "/w/acme-studio/gallery/"


def test_a_new_workspace_begins_with_the_first_steps(workspace: Workspace, owner: Client) -> None:
    assert "New workspace" in body(owner.get(url(workspace)))
    created = owner.post(reverse("workspace_new"), {"workspace_name": "Second"})
    assert created["Location"] == "/w/second/setup/"
    page = body(owner.get(reverse("workspaces")))
    assert "Acme" in page and "Second" in page
    assert AuditEntry.objects.filter(action="workspace.created").count() == 2
    refused = owner.post(reverse("workspace_new"), {"workspace_name": " "})
    assert refused.status_code == 400


def test_with_the_setting_only_operators_create_workspaces(
    workspace: Workspace, owner: Client, settings: Settings
) -> None:
    settings.WORKSPACE_CREATION = "operators"
    assert "New workspace" not in body(owner.get(url(workspace)))
    assert "New workspace" not in body(owner.get(reverse("workspaces")))
    for response in (owner.get(reverse("workspace_new")), owner.post(reverse("workspace_new"), {})):
        assert response.status_code == 403
    assert Workspace.objects.count() == 1


def test_anonymous_visitors_are_sent_to_sign_in() -> None:
    UserFactory.create()
    for name, args in (("workspaces", []), ("workspace_new", []), ("workspace_restore", ["acme"])):
        path = reverse(name, args=args)
        response = Client().post(path) if name == "workspace_restore" else Client().get(path)
        assert response["Location"].startswith("/accounts/login/")


def test_the_navigation_has_the_pages_that_the_role_may_see(workspace: Workspace, owner: Client) -> None:
    def entries(client: Client) -> list[str]:
        page = body(client.get(url(workspace)))
        nav = page.partition('aria-label="Settings"')[2].partition("</nav>")[0]
        labels = ("General", "API keys", "Providers", "Credits &amp; usage", "Webhooks")
        return [label for label in labels if label in nav]

    assert entries(owner) == ["General", "API keys", "Providers", "Credits &amp; usage", "Webhooks"]
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    assert entries(viewer) == ["General", "API keys", "Credits &amp; usage"]


def test_the_trash_page_names_the_workspaces_days(workspace: Workspace, owner: Client) -> None:
    Workspace.objects.update(trash_days=3)
    assert "for 3 days" in " ".join(body(owner.get(url(workspace, "trash"))).split())


def test_the_studio_begins_with_the_default_model(workspace: Workspace, owner: Client) -> None:
    Workspace.objects.update(default_model="black-forest-labs/flux-2-klein-9b")
    page = owner.get(url(workspace, "studio")).context["studio"]
    assert page.model.id == "black-forest-labs/flux-2-klein-9b"
    assert not any(tier.checked for tier in page.tiers)


def test_without_public_sharing_the_dialog_has_no_form(workspace: Workspace, owner: Client) -> None:
    image = add_image(workspace)
    shares = reverse("shares", args=["acme", image.pk])
    assert 'id="share-days"' in body(owner.get(shares))
    Workspace.objects.update(public_sharing="nobody")
    assert 'id="share-days"' not in body(owner.get(shares))
    refused = owner.post(shares, {"days": "7"})
    assert refused.status_code == 403
    assert "switched off" in body(refused)


def test_a_slug_that_never_was_is_not_found(owner: Client) -> None:
    assert owner.get(f"/w/{uuid.uuid4()}/").status_code == 404


def test_the_page_of_workspaces_takes_as_many_queries_for_one_as_for_many(
    workspace: Workspace, owner: Client
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(reverse("workspaces")).status_code == 200
        return len(queries)

    few = count()
    for number in range(20):
        made = make_workspace(owner=workspace.members.get(), name=f"More {number}", balance=0)
        if number % 2:
            deletions.delete(actor=make_actor(made), name=made.name)
    assert count() == few
