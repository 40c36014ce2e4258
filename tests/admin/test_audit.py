"""What operators change in the admin is in the audit log, which they read there over all workspaces."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from editor.models import AuditEntry, ModelAlias, Plan, ProviderKey, Style, User, Workspace
from editor.operations import audit, provider_keys
from editor.operations.provider_keys import Verdict
from editor.queries.audit import PAGE
from tests.factories import PASSWORD, UserFactory, make_provider_key, make_workspace
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD)


@pytest.fixture
def client(operator: User) -> Client:
    return signed_in(operator)


def url_of(model: str, act: str, *parts: Any) -> str:
    return reverse(f"admin:editor_{model}_{act}", args=parts)


def post(client: Client, url: str, **fields: Any) -> None:
    assert client.post(url, fields, REMOTE_ADDR="203.0.113.9").status_code == 302


def entry(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def test_a_changed_plan_is_recorded_with_both_values(client: Client, operator: User) -> None:
    plan = Plan.objects.create(name="Large", concurrent_jobs=10)
    fields = {"name": "Large", "requests_per_minute": 60, "concurrent_jobs": 20, "own_keys": "on"}
    monthly = {"monthly_credits": 0, "rollover": "none", "rollover_limit": 0}
    post(client, url_of("plan", "change", plan.pk), **fields, **monthly, storage_bytes=plan.storage_bytes)
    found = entry("plan.changed")
    assert (found.actor, found.actor_kind, found.ip) == (operator, "operator", "203.0.113.9")
    assert (found.target, found.before, found.after) == (
        "Large",
        {"concurrent_jobs": 10},
        {"concurrent_jobs": 20},
    )


def test_added_and_deleted_rows_are_recorded(client: Client) -> None:
    post(client, url_of("modelalias", "add"), name="dall-e", target="standard")
    assert entry("model_alias.created").after == {"name": "dall-e", "target": "standard"}
    alias = ModelAlias.objects.get(name="dall-e")
    post(client, url_of("modelalias", "delete", alias.pk), post="yes")
    assert entry("model_alias.removed").target == str(alias)
    style = Style.objects.create(workspace=None, name="Own", prompt="sepia")
    chosen = {"action": "delete_selected", "_selected_action": [style.pk], "post": "yes"}
    post(client, url_of("style", "changelist"), **chosen)
    assert entry("style.removed").target == str(style)


def test_an_account_is_recorded_without_its_password(client: Client, operator: User) -> None:
    post(
        client,
        url_of("user", "add"),
        email="mei@example.test",
        name="Mei",
        usable_password="true",
        password1="staple battery horse",
        password2="staple battery horse",
    )
    assert entry("account.created").after == {"email": "mei@example.test", "name": "Mei"}
    mei = User.objects.get(email="mei@example.test")
    workspace = make_workspace(owner=mei)
    post(client, url_of("user", "change", mei.pk), email=mei.email, name="Mei Tanaka", is_staff="on")
    changed, disabled = entry("account.changed"), entry("account.disabled")
    assert changed.before == {"name": "Mei", "is_active": True, "is_staff": False}
    assert changed.after == {"name": "Mei Tanaka", "is_active": False, "is_staff": True}
    assert (changed.workspace, disabled.workspace) == (None, workspace)
    post(
        client,
        reverse("admin:auth_user_password_change", args=[mei.pk]),
        usable_password="true",
        password1="another battery horse",
        password2="another battery horse",
        **{"set-password": "1"},
    )
    assert entry("account.password_changed").target == mei.email
    assert "battery" not in str(AuditEntry.objects.values())


def test_the_portals_own_key_is_recorded_with_four_characters(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def accepted(**given: Any) -> Verdict:
        return Verdict(accepted=True, note="")

    monkeypatch.setattr(provider_keys, "try_key", accepted)
    for key in ("first-key-1111", "second-key-2222"):
        post(client, url_of("providerkey", "add"), provider="bfl", api_key=key)
    first, second = AuditEntry.objects.filter(action="provider_key.saved").order_by("id")
    assert (first.before, first.after) == ({"last_four": None}, {"last_four": "1111"})
    assert (second.before, second.after) == ({"last_four": "1111"}, {"last_four": "2222"})
    assert "second-key" not in str(AuditEntry.objects.values())
    row = ProviderKey.objects.get()
    post(client, url_of("providerkey", "change", row.pk))
    assert entry("provider_key.changed").after == {"is_enabled": False}
    post(client, url_of("providerkey", "delete", row.pk), post="yes")
    assert entry("provider_key.removed").workspace is None


def test_nothing_is_recorded_when_nothing_changed(client: Client) -> None:
    row = make_provider_key(workspace=None, provider="bfl")
    post(client, url_of("providerkey", "change", row.pk), is_enabled="on")
    assert not AuditEntry.objects.filter(action="provider_key.changed").exists()


def listed(client: Client, **query: str) -> str:
    response = client.get(url_of("auditentry", "changelist"), query)
    assert response.status_code == 200
    return response.content.decode()


def test_operators_read_the_log_of_all_workspaces(client: Client) -> None:
    first, second = make_workspace(name="First"), make_workspace(name="Second")
    for place in (first, second, None):
        audit.record(workspace=place, actor=None, action="plan.changed", target=f"of {place}")
    assert all(f"“of {place}”" in listed(client) for place in (first, second, None))
    text = listed(client, workspace=second.slug, group="settings")
    assert "“of Second”" in text
    assert "“of First”" not in text
    assert "No entries match" in listed(client, workspace="nowhere")
    assert "Older" not in text
    for _ in range(PAGE):
        audit.record(workspace=first, actor=None, action="plan.created", target="more")
    older = listed(client).partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "“of First”" in client.get(older).content.decode()


def test_the_list_counts_no_rows(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        listed(client)
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]


@pytest.mark.parametrize("name", ["changelist", "csv"])
def test_only_operators_read_it(name: str) -> None:
    owner = make_workspace().members.get()
    assert signed_in(owner).get(url_of("auditentry", name)).status_code == 302
    staff = UserFactory.create(is_staff=True)
    assert signed_in(staff).get(url_of("auditentry", name)).status_code == 403


def test_operators_download_it(client: Client, operator: User) -> None:
    workspace: Workspace = make_workspace()
    response: Any = client.get(url_of("auditentry", "csv"), {"workspace": workspace.slug})
    assert response["Content-Disposition"] == 'attachment; filename="portal-audit-log.csv"'
    found = entry("audit.exported")
    assert (found.workspace, found.actor, found.data) == (
        None,
        operator,
        {"filter": {"workspace": workspace.slug}},
    )
