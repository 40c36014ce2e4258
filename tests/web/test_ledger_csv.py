"""The ledger as CSV: whatever is filtered, a row for each entry, some lines in memory."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse

from editor.concurrency.threads import in_thread
from editor.contexts import ledger_csv
from editor.models import AuditEntry, CreditAccount, Membership, Role, Status, User, Workspace
from tests.factories import make_member, make_workspace
from tests.spending import end, spend, start

pytestmark = pytest.mark.usefixtures("committed")


async def download(user: User, workspace: Workspace, **query: str) -> Any:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(reverse("credits_csv", args=[workspace.slug]), query)
    assert response.status_code == 200
    return response


async def read(response: Any) -> list[dict[str, str]]:
    content = b"".join([piece async for piece in response.streaming_content])
    return list(csv.DictReader(io.StringIO(content.decode())))


async def owned() -> tuple[Workspace, User]:
    workspace = await in_thread(make_workspace, balance=100)
    return workspace, await in_thread(workspace.members.get)


async def test_the_file_adds_up_to_the_balance() -> None:
    workspace, owner = await owned()
    await in_thread(spend, workspace, owner, prompt="=1+1")
    await in_thread(end, await in_thread(start, workspace, owner), Status.FAILED)
    await in_thread(start, workspace, owner)
    response = await download(owner, workspace)
    assert response["Content-Disposition"] == f'attachment; filename="{workspace.slug}-ledger.csv"'
    rows = await read(response)
    account = await in_thread(CreditAccount.objects.get, pk=workspace.pk)
    assert len(rows) == 6
    assert sum(int(row["Credits"]) for row in rows) == account.balance == 92
    assert sum(int(row["Held"]) for row in rows) == account.held == 4
    assert {row["Note"] for row in rows} == {"'=1+1", "make it warmer", ""}
    assert "All of it was returned: it has no result" in {row["Why"] for row in rows}
    failed = await read(await download(owner, workspace, state="failed"))
    assert [row["Kind"] for row in failed] == ["Held", "Returned"]
    exported = await in_thread(AuditEntry.objects.filter(action="credits.exported").latest, "id")
    assert exported.data == {"filter": {"state": "failed"}}


async def test_it_reads_some_lines_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_csv, "BATCH", 2)
    workspace, owner = await owned()
    for _ in range(4):
        await in_thread(spend, workspace, owner)
    response = await download(owner, workspace)
    await in_thread(spend, workspace, owner)  # it would not add up to any balance
    pieces = [piece.count(b"\r\n") async for piece in response.streaming_content]
    assert pieces == [1, 4, 4, 1]


async def test_a_member_gets_only_their_own_entries() -> None:
    workspace, owner = await owned()
    mei = await in_thread(make_member, workspace)
    await in_thread(spend, workspace, owner)
    await in_thread(spend, workspace, mei)
    for query in ({}, {"person": str(owner.pk)}):
        rows = await read(await download(mei, workspace, **query))
        assert {row["Person"] for row in rows} == {mei.display_name}
        assert len(rows) == 2


async def test_who_may_no_longer_see_what_others_spent_gets_no_more_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_csv, "BATCH", 1)
    workspace, owner = await owned()
    admin = await in_thread(make_member, workspace, role=Role.ADMIN)
    for _ in range(3):
        await in_thread(spend, workspace, owner)
    pieces = (await download(admin, workspace)).streaming_content
    assert b"Entry" in await anext(pieces)
    assert owner.display_name.encode() in await anext(pieces)
    await in_thread(Membership.objects.filter(user=admin).update, role=Role.EDITOR)
    with pytest.raises(Exception, match="Only an owner or admin"):
        await anext(pieces)
