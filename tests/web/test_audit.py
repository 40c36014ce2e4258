"""The audit log's page: sentences, filters, pages, times, and the CSV file."""

from __future__ import annotations

import csv
import gc
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.contexts import audit as contexts
from editor.contexts.audit import harmless
from editor.gateway.streams import AT_ONCE
from editor.models import AuditEntry, Role, User, Workspace
from editor.operations import audit
from editor.queries.audit import PAGE
from tests.factories import UserFactory, make_actor, make_member, make_workspace
from tests.web.requests import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace()
    member = make_member(workspace)
    User.objects.filter(pk=member.pk).update(name="Mei Tanaka", email="mei@example.test")
    return workspace


@pytest.fixture
def owner(workspace: Workspace) -> Actor:
    return make_actor(workspace)


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


def changed_role(workspace: Workspace, actor: audit.By, target: str = "mei@example.test") -> None:
    audit.record(
        workspace=workspace,
        actor=actor,
        action="membership.changed",
        target=target,
        before={"role": "editor"},
        after={"role": "viewer"},
        address="203.0.113.20",
    )


def add_old(workspace: Workspace, at: datetime, *targets: str) -> None:
    """Entries of that time, which no operation can write."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO editor_auditentry (workspace_id, action, target, data, created_at)"
            " VALUES (%s, 'membership.removed', %s, '{}', %s)",
            [(workspace.pk, target, at) for target in targets],
        )


def page(client: Client, workspace: Workspace, query: dict[str, str] | None = None, **headers: str) -> str:
    response = client.get(reverse("audit", args=[workspace.slug]), query, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_entries_are_sentences_with_who_and_from_where(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    changed_role(workspace, owner)
    audit.record(workspace=workspace, actor=None, action="webhook.disabled", target="https://a.test")
    text = page(client, workspace)
    assert "Changed role of Mei Tanaka: Editor → Viewer" in text
    assert owner.user.name in text
    assert "203.0.113.20" in text
    assert "Disabled webhook https://a.test: it responded with 410 Gone" in text
    assert "System" in text


def test_of_addresses_that_are_not_members_no_name_is_revealed(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    UserFactory.create(name="Noor Haddad", email="noor@example.test")
    audit.record(workspace=workspace, actor=owner, action="invitation.created", target="noor@example.test")
    text = page(client, workspace)
    assert "Invited noor@example.test" in text
    assert "Haddad" not in text


def test_the_filter_finds_people_actions_and_days(client: Client, workspace: Workspace, owner: Actor) -> None:
    changed_role(workspace, owner)
    mei = User.objects.get(email="mei@example.test")
    audit.record(workspace=workspace, actor=mei, action="images.trashed", data={"images": 1})
    changed, trashed = "Changed role of Mei", "Moved 1 image to the trash"

    def shown(**query: str) -> tuple[bool, bool]:
        text = page(client, workspace, query, **HTMX)
        return changed in text, trashed in text

    today = timezone.now().date()
    assert shown() == (True, True)
    assert shown(by="tanaka") == (False, True)
    assert shown(by="MEI@example.test", group="members") == (False, False)
    assert shown(by="example.test", group="members") == (True, False)  # several people
    assert shown(group="images") == (False, True)
    assert shown(**{"from": str(today), "until": str(today)}) == (True, True)
    assert shown(**{"from": str(today + timedelta(days=1))}) == (False, False)
    assert shown(until=str(today - timedelta(days=1))) == (False, False)
    assert shown(by="nobody here") == (False, False)
    assert shown(**{"from": "soon", "until": "0001-01-01", "group": "?", "older": "x"}) == (True, True)
    mei.memberships.all().delete()
    assert shown(by="tanaka") == (False, False)
    assert shown(by="mei@example.test") == (False, True)  # a former member, by the whole email


def test_a_filter_replaces_the_url_and_the_csv_has_the_same(client: Client, workspace: Workspace) -> None:
    url = reverse("audit", args=[workspace.slug])
    response = client.get(url, {"group": "settings", "until": "", "by": ""}, headers=HTMX)
    assert response["HX-Replace-Url"] == f"{url}?group=settings"
    assert f'href="{url}csv/?group=settings"' in response.content.decode()
    assert 'id="audit-by"' not in response.content.decode()


@pytest.mark.parametrize("query", [{}, {"group": "members"}], ids=["all", "merged"])
def test_older_entries_follow_without_gap_or_repetition(
    client: Client, workspace: Workspace, query: dict[str, str]
) -> None:
    """Also those of the same moment."""
    at = timezone.now() - timedelta(hours=1)
    add_old(workspace, at, *(f"t{number}." for number in range(PAGE * 2 + 1)))
    seen: list[str] = []
    url: str | None = f"{reverse('audit', args=[workspace.slug])}?{'group=members' if query else ''}"
    while url:
        text = client.get(url, headers=HTMX).content.decode()
        seen += [part.partition(".")[0] for part in text.split("Removed t")[1:]]
        older = text.partition('hx-get="')[2].partition('"')[0]
        url = older.replace("&amp;", "&") or None
    assert seen == [str(number) for number in reversed(range(PAGE * 2 + 1))]


def test_times_and_days_are_those_of_the_viewers_zone(client: Client, workspace: Workspace) -> None:
    add_old(workspace, datetime(2026, 1, 5, 23, 30, 7, tzinfo=UTC), "mei@example.test")
    client.cookies["tz"] = "Asia/Tokyo"
    text = page(client, workspace, {"from": "2026-01-06", "until": "2026-01-06"})
    assert "08:30:07" in text
    assert "6 Jan" in text
    assert "(Asia/Tokyo)" in text
    assert "Removed" not in page(client, workspace, {"until": "2026-01-05"})


def test_how_long_entries_are_kept_is_shown(settings: Settings, client: Client, workspace: Workspace) -> None:
    settings.AUDIT_DAYS = 30
    assert "Kept 30 days" in page(client, workspace)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_others_neither_see_nor_download_it(workspace: Workspace, role: Role) -> None:
    member = signed_in(make_member(workspace, role=role))
    for name in ("audit", "audit_csv"):
        assert member.get(reverse(name, args=[workspace.slug])).status_code == 403
    assert "settings/audit/" not in member.get(reverse("api_keys", args=[workspace.slug])).content.decode()


@pytest.mark.parametrize("query", [{}, {"group": "members", "by": "a"}], ids=["all", "filtered"])
def test_as_many_queries_for_a_page_of_entries_as_for_one(
    client: Client, workspace: Workspace, owner: Actor, query: dict[str, str]
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, workspace, query)
        return len(queries)

    changed_role(workspace, owner)
    count()  # the first page of a session also notes when it was used
    few = count()
    for _ in range(PAGE):
        changed_role(workspace, UserFactory.create())
    assert count() == few


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_the_csv_file_is_a_formula(cell: str) -> None:
    assert harmless(cell).startswith("'")
    assert harmless(f"a{cell.strip()}") == f"a{cell.strip()}"


@pytest.mark.usefixtures("committed")
async def test_the_csv_file_has_all_that_matches_and_few_rows_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contexts, "CSV_BATCH", 2)
    workspace = await in_thread(make_workspace)
    owner = await in_thread(make_actor, workspace)
    for number in range(5):
        await in_thread(changed_role, workspace, owner, f"=t{number}@example.test")
    client = AsyncClient()
    await client.aforce_login(owner.user)
    url = reverse("audit_csv", args=[workspace.slug])
    response: Any = await client.get(url, {"group": "members"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="acme-studio-audit-log.csv"'
    pieces = [piece async for piece in response.streaming_content]
    assert [piece.count(b"\n") for piece in pieces] == [1, 2, 2, 1]
    head, *rows = csv.reader(io.StringIO(b"".join(pieces).decode()))
    assert head[:4] == ["Time", "Who", "Kind", "Action"]
    assert [row[4] for row in rows] == [
        f"Changed role of =t{number}@example.test: Editor → Viewer" for number in (4, 3, 2, 1, 0)
    ]
    assert rows[0][1:4] == [owner.user.name, "Member", "membership.changed"]
    assert rows[0][6] == "203.0.113.20"
    exported = await in_thread(AuditEntry.objects.get, action="audit.exported")
    assert exported.data == {"filter": {"group": "members"}}


@pytest.mark.usefixtures("committed")
async def test_a_member_downloads_few_files_at_once() -> None:
    workspace = await in_thread(make_workspace)
    client = AsyncClient()
    await client.aforce_login((await in_thread(make_actor, workspace)).user)
    url = reverse("audit_csv", args=[workspace.slug])
    held: list[Any] = [await client.get(url) for _ in range(AT_ONCE)]
    refused = await client.get(url)
    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert await in_thread(AuditEntry.objects.filter(action="audit.exported").count) == AT_ONCE
    held.clear()
    gc.collect()
    assert (await client.get(url)).status_code == 200
