"""The operator's admin: credits change only by the ledger, and history is immutable."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from editor.models import (
    AuditEntry,
    CreditAccount,
    Job,
    LedgerEntry,
    Role,
    User,
    Workspace,
)
from editor.operations import api_keys
from tests.factories import PASSWORD, make_actor, make_member, make_workspace
from tests.web.requests import signed_in
from tests.web.rows import add_completed, add_image, add_job

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label == "editor"]
ADD_ENTRY = "/admin/editor/ledgerentry/add/"


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD)


@pytest.fixture
def client(operator: User) -> Client:
    return signed_in(operator)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=100)


def add_entry(client: Client, workspace: Workspace, *, kind: str, amount: object) -> str:
    """Submit the form; returns the text of the page with the errors, or "" if it was accepted."""
    data = {"account": workspace.pk, "kind": kind, "amount": amount, "note": "by hand"}
    response = client.post(ADD_ENTRY, data)
    return "" if response.status_code == 302 else response.content.decode()


def balance(workspace: Workspace) -> int:
    return CreditAccount.objects.get(workspace=workspace).balance


def test_only_operators_have_access(workspace: Workspace) -> None:
    owner = workspace.members.get()
    assert owner.memberships.get().role == Role.OWNER
    for client in (Client(), signed_in(owner), signed_in(make_member(workspace))):
        for url in ("/admin/", "/admin/editor/user/", ADD_ENTRY):
            response = client.get(url)
            assert response.status_code in (302, 403), url
            assert "login" in response.headers.get("Location", "login")


def test_the_admin_has_no_sign_in_of_its_own() -> None:
    """The portal's own page counts failed attempts; the admin's does not."""
    assert Client().get("/admin/login/")["Location"].startswith(reverse("account_login"))


def test_an_operator_signs_in_and_sees_the_admin(operator: User) -> None:
    client = Client()
    client.post(reverse("account_login"), {"login": operator.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("kind", "amount", "after"), [("grant", 50, 150), ("adjust", -30, 70), ("adjust", 5, 105)]
)
def test_credits_are_granted_and_corrected(
    client: Client, operator: User, workspace: Workspace, kind: str, amount: int, after: int
) -> None:
    assert add_entry(client, workspace, kind=kind, amount=amount) == ""
    entry = LedgerEntry.objects.latest("id")
    assert (entry.kind, entry.amount, entry.balance_after, entry.actor) == (kind, amount, after, operator)
    assert balance(workspace) == after
    assert AuditEntry.objects.filter(actor=operator, workspace=workspace).count() == 1


@pytest.mark.parametrize(
    ("kind", "amount", "message"),
    [
        ("grant", 0, "use an adjustment"),
        ("grant", -1, "use an adjustment"),
        ("adjust", -101, "cannot go below zero"),
        ("grant", 10**9 + 1, "Enter at most 1,000,000,000 credits"),
        ("grant", 10**30, "less than or equal to"),
        ("grant", "many", "whole number"),
        ("hold", 4, "Select a valid choice"),
        ("settle", 4, "Select a valid choice"),
    ],
)
def test_invalid_ledger_entries_are_reported_in_the_form(
    client: Client, workspace: Workspace, kind: str, amount: object, message: str
) -> None:
    entries = LedgerEntry.objects.count()
    assert message in add_entry(client, workspace, kind=kind, amount=amount)
    assert (balance(workspace), LedgerEntry.objects.count()) == (100, entries)


def test_a_correction_after_credits_were_spent_meanwhile_is_reported(
    client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form checked the balance before somebody ran an edit."""
    monkeypatch.setattr(
        "editor.admin.credits.LedgerEntryForm.clean_amount", lambda form: form.cleaned_data["amount"]
    )
    client.raise_request_exception = False
    response = client.post(ADD_ENTRY, {"account": workspace.pk, "kind": "adjust", "amount": -101, "note": ""})
    assert response.status_code == 400
    assert "cannot go below zero" in response.content.decode()
    assert balance(workspace) == 100


def history(workspace: Workspace) -> dict[str, Model]:
    """One row of each table that only operations write."""
    user = workspace.members.get()
    result = add_completed(workspace, add_image(workspace), version=2, user=user)
    return {
        "job": result.job or add_job(workspace),
        "ledgerentry": LedgerEntry.objects.latest("id"),
        "creditaccount": CreditAccount.objects.get(workspace=workspace),
        "auditentry": AuditEntry.objects.latest("id"),
    }


@pytest.mark.parametrize("name", ["job", "ledgerentry", "creditaccount", "auditentry"])
def test_history_is_read_only(client: Client, workspace: Workspace, name: str) -> None:
    row = history(workspace)[name]
    base = f"/admin/editor/{name}/{row.pk}"
    assert client.get(f"{base}/change/").status_code == 200
    assert client.post(f"{base}/change/", {"amount": 1, "status": "completed"}).status_code == 403
    assert client.post(f"{base}/delete/", {"post": "yes"}).status_code == 403
    changelist = client.post(
        f"/admin/editor/{name}/", {"action": "delete_selected", "_selected_action": row.pk}
    )
    assert changelist.status_code in (200, 302)
    assert type(row)._default_manager.filter(pk=row.pk).exists()
    if name != "ledgerentry":
        assert client.get(f"/admin/editor/{name}/add/").status_code == 403


def test_jobs_are_shown_with_the_display_name_of_their_channel(client: Client, workspace: Workspace) -> None:
    job = add_job(workspace, channel="bfl")
    assert "BFL-compatible API" in client.get("/admin/editor/job/").content.decode()
    assert "BFL-compatible API" in client.get(f"/admin/editor/job/{job.pk}/change/").content.decode()


def test_a_workspace_created_in_the_admin_is_usable(client: Client, workspace: Workspace) -> None:
    data = {
        "name": "New",
        "slug": "new",
        "plan": workspace.plan_id,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": workspace.members.get().pk,
        "memberships-0-role": Role.OWNER,
        "memberships-0-access_image_editor": "on",
    }
    response = client.post("/admin/editor/workspace/add/", data)
    assert response.status_code == 302, response.content.decode()
    made = Workspace.objects.get(slug="new")
    assert balance(made) == 0
    assert signed_in(workspace.members.get()).get("/w/new/").status_code == 200


def test_removing_a_member_is_audited(client: Client, workspace: Workspace) -> None:
    member = make_member(workspace)
    rows = list(workspace.memberships.order_by("id"))
    data: dict[str, object] = {
        "name": workspace.name,
        "slug": workspace.slug,
        "plan": workspace.plan_id,
        "memberships-TOTAL_FORMS": 2,
        "memberships-INITIAL_FORMS": 2,
    }
    for number, row in enumerate(rows):
        data |= {
            f"memberships-{number}-id": row.pk,
            f"memberships-{number}-user": row.user_id,
            f"memberships-{number}-role": row.role,
            f"memberships-{number}-access_image_editor": "on",
        }
        if row.user == member:
            data[f"memberships-{number}-DELETE"] = "on"
    response = client.post(f"/admin/editor/workspace/{workspace.pk}/change/", data)
    assert response.status_code == 302, response.content.decode()
    assert member not in workspace.members.all()
    assert workspace.memberships.count() == 1
    assert AuditEntry.objects.get(action="membership.removed").target == member.email


def test_a_workspace_cannot_be_deleted(client: Client, workspace: Workspace) -> None:
    response = client.post(f"/admin/editor/workspace/{workspace.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403
    assert Workspace.objects.filter(pk=workspace.pk).exists()


def test_a_user_created_in_the_admin_signs_in_by_email(client: Client) -> None:
    data = {"email": "New@example.test", "name": "", "password1": PASSWORD, "password2": PASSWORD}
    response = client.post("/admin/editor/user/add/", {**data, "usable_password": "true"})
    assert response.status_code == 302, response.content.decode()
    stranger = Client()
    stranger.post(reverse("account_login"), {"login": "new@example.test", "password": PASSWORD})
    assert "_auth_user_id" in stranger.session


def test_an_email_is_unique_in_the_admin_too(client: Client) -> None:
    make_workspace(owner=User.objects.create_user("amara@example.test"))
    data = {
        "email": "AMARA@example.test",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
    }
    response = client.post("/admin/editor/user/add/", data)
    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_a_user_with_history_can_be_removed_and_the_history_stays(
    client: Client, workspace: Workspace
) -> None:
    member = make_member(workspace)
    job = add_job(workspace, created_by=member)
    response = client.post(f"/admin/editor/user/{member.pk}/delete/", {"post": "yes"})
    assert response.status_code == 302
    assert Job.objects.get(pk=job.pk).created_by is None


def test_a_user_with_an_api_key_is_deleted_and_the_page_lists_what_goes(
    client: Client, workspace: Workspace
) -> None:
    member = make_member(workspace)
    key, bare = api_keys.create(actor=make_actor(workspace, user=member), name="n8n")
    url = f"/admin/editor/user/{member.pk}/delete/"
    page = client.get(url).content.decode()
    assert str(key) in page and "API keys stop working at once" in page and "clear “Active”" in page
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=member.pk).exists()
    assert api_keys.find(bare) is None


def test_several_users_are_deleted_but_never_oneself(
    client: Client, workspace: Workspace, operator: User
) -> None:
    members = [make_member(workspace) for _ in range(2)]
    for member in members:
        api_keys.create(actor=make_actor(workspace, user=member), name="n8n")
    data = {"action": "delete_selected", "post": "yes"}
    mine = client.post(
        "/admin/editor/user/", {**data, "_selected_action": [operator.pk, *(member.pk for member in members)]}
    )
    assert mine.status_code == 200
    assert "this is you" in mine.content.decode()
    assert client.get(f"/admin/editor/user/{operator.pk}/delete/").status_code == 403
    assert User.objects.filter(pk__in=[operator.pk, *(member.pk for member in members)]).count() == 3
    data_of_members = {**data, "_selected_action": [member.pk for member in members]}
    assert client.post("/admin/editor/user/", data_of_members).status_code == 302
    assert not User.objects.filter(pk__in=[member.pk for member in members]).exists()


@pytest.mark.parametrize(
    "query", ["q=x", "q=%00", "q='", "status__exact=nope", "p=9999", "o=abc", "e=1", "all="]
)
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_accept_any_query(client: Client, model: Any, query: str) -> None:
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/?{query}"
    assert client.get(url).status_code in (200, 302)
