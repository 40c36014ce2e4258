"""What an entry of the audit log contains, and how long it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import client_address
from editor.contexts.audit_sentences import SENTENCES
from editor.contexts.audit_words import details, what, who
from editor.models import AuditEntry, User, WebhookEndpoint, Workspace
from editor.operations import api_keys, audit, exports
from editor.operations.webhooks import endpoints
from tests.factories import UserFactory, make_actor, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def recorded(actor: audit.By, workspace: Workspace | None = None, **given: object) -> AuditEntry:
    audit.record(workspace=workspace, actor=actor, action="plan.changed", **given)  # type: ignore[arg-type]
    return AuditEntry.objects.latest("id")


def test_who_acted_is_recorded_and_stays_when_the_account_is_deleted(workspace: Workspace) -> None:
    member = make_actor(workspace)
    key, _ = api_keys.create(actor=member, name="n8n")
    operator = User.objects.create_superuser("operator@example.test", "x")
    kinds = [
        recorded(one) for one in (member, replace(member, key_id=key.pk), operator, audit.Visitor(), None)
    ]
    assert [entry.actor_kind for entry in kinds] == ["member", "key", "operator", "visitor", "system"]
    name = member.user.name
    shown = [name, f"{name}, key “{key}”", "operator (operator)", "Visitor", "System"]
    assert [who(entry) for entry in kinds] == shown
    key.delete()
    assert who(AuditEntry.objects.get(pk=kinds[1].pk)) == shown[1]
    operator.delete()
    assert who(AuditEntry.objects.get(pk=kinds[2].pk)) == "operator@example.test (operator)"


def test_a_key_of_the_workspace_itself_has_no_person(workspace: Workspace) -> None:
    member = make_actor(workspace)
    key, _ = api_keys.create(actor=member, name="n8n")
    User.objects.filter(pk=member.user.pk).update(is_service_account=True)
    entry = recorded(replace(member, key_id=key.pk))
    assert who(AuditEntry.objects.get(pk=entry.pk)) == f"Key “{key}”"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
        (None, None),
    ],
)
def test_addresses_are_recorded_as_the_database_takes_them(given: str | None, stored: str | None) -> None:
    assert recorded(None, address=given).ip == stored


def test_the_address_is_the_actors_or_that_of_the_request(workspace: Workspace) -> None:
    member = make_actor(workspace)
    token = client_address.set("198.51.100.7")
    try:
        assert recorded(None).ip == "198.51.100.7"
        assert recorded(replace(member, address="203.0.113.9")).ip == "203.0.113.9"
    finally:
        client_address.reset(token)
    assert recorded(member).ip is None


def test_values_are_stored_as_json(workspace: Workspace) -> None:
    now = timezone.now()
    entry = recorded(None, before={"plan": workspace.plan, "at": now}, after={"list": [uuid4(), 1, None]})
    entry.refresh_from_db()
    assert entry.before == {"plan": "Standard", "at": str(now)}
    assert entry.after is not None
    assert [type(one) for one in entry.after["list"]] == [str, int, type(None)]


def aged(days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO editor_auditentry (action, target, data, created_at) VALUES ('a.b', '', '{}', %s)",
            [timezone.now() - timedelta(days=days)],
        )


def test_entries_are_kept_for_the_days_of_the_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_DAYS = 10
    monkeypatch.setattr(audit, "PURGED_AT_ONCE", 2)
    for days in (1, 9, 11, 12, 13):
        aged(days)
    assert [audit.purge() for _ in range(3)] == [2, 1, 0]
    assert AuditEntry.objects.count() == 2


def test_nothing_else_deletes_or_changes_an_entry() -> None:
    aged(500)
    audit.purge()
    aged(1)
    for act in (AuditEntry.objects.all().delete, lambda: AuditEntry.objects.update(action="c.d")):
        with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
            act()
    assert AuditEntry.objects.get().action == "a.b"


def test_what_concerns_a_person_stands_in_each_of_their_workspaces(workspace: Workspace) -> None:
    person = workspace.members.get()
    other = make_workspace(owner=person)
    audit.record_for(person=person, actor=None, action="account.disabled", target=person.email)
    entries = AuditEntry.objects.filter(action="account.disabled")
    assert {entry.workspace for entry in entries} == {workspace, other}
    audit.record_for(person=UserFactory.create(), actor=None, action="account.enabled")
    assert AuditEntry.objects.get(action="account.enabled").workspace is None


@pytest.mark.parametrize(
    ("action", "before", "after", "sentence", "more"),
    [
        ("membership.changed", {"role": "editor"}, {"role": "viewer"}, "role of Mei: Editor → Viewer", ""),
        ("membership.changed", {"monthly_cap": None}, {"monthly_cap": 1200}, "cap of Mei: none → 1,200", ""),
        (
            "membership.changed",
            {"role": "editor", "access_image_editor": True},
            {"role": "viewer", "access_image_editor": False},
            "Changed Mei: role Editor → Viewer, Access Image Editor yes → no",
            "",
        ),
        (
            "api_key.created",
            None,
            {"scopes": ["images:edit"], "expires_at": "2026-12-01T09:30:00+00:00"},
            "Created API key “mei@example.test”",
            "scopes images:edit, end 1 Dec 2026 09:30",
        ),
        ("webhook.changed", {"enabled": True}, {"enabled": False}, "mei@example.test: enabled yes → no", ""),
        ("later.version_of_it", None, None, "Later version of it: Mei", ""),
    ],
)
def test_changes_in_words(
    action: str, before: dict[str, object] | None, after: dict[str, object] | None, sentence: str, more: str
) -> None:
    entry = AuditEntry(action=action, target="mei@example.test", data={}, before=before, after=after)
    names = {"mei@example.test": "Mei"} if "Mei" in sentence else {}
    assert sentence in what(entry, names)
    assert details(entry) == more


@pytest.mark.parametrize("action", sorted(SENTENCES))
def test_each_sentence_can_be_written_of_any_entry(action: str) -> None:
    entry = AuditEntry(action=action, target="{target!r} {0}", data={})
    assert "{target!r} {0}" in what(entry, {}) or "{target}" not in SENTENCES[action]


def test_old_and_new_values_of_settings_are_recorded(workspace: Workspace) -> None:
    owner = make_actor(workspace)
    for events in (["job.completed"], ["job.failed"]):
        endpoint = WebhookEndpoint.objects.first()
        if endpoint is None:
            endpoints.create(actor=owner, url="https://a.example.com/?key=s3cret", events=events, origin="")
        else:
            endpoints.change(actor=owner, endpoint=endpoint, events=events, is_enabled=False)
    endpoints.set_low_balance_threshold(actor=owner, credits=20)
    grant = AuditEntry.objects.get(action="credits.granted")
    changed = AuditEntry.objects.get(action="webhook.changed")
    low = AuditEntry.objects.get(action="credits.low_mark_changed")
    assert what(grant, {}) == "Granted 100 credits"
    assert (grant.before, grant.after) == ({"balance": 0}, {"balance": 100})
    assert changed.before == {"events": ["job.completed"], "enabled": True}
    assert changed.after == {"events": ["job.failed"], "enabled": False}
    assert what(low, {}) == "Changed the low balance threshold: credits 50 → 20"
    assert "s3cret" not in str(AuditEntry.objects.values())


def test_a_zip_file_is_recorded(workspace: Workspace) -> None:
    exports.images_zip(actor=make_actor(workspace), count=3)
    entry = AuditEntry.objects.get(action="images.exported")
    assert what(entry, {}) == "Downloaded 3 images as a zip file"
