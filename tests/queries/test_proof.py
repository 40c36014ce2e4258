"""A proof finds every difference between the ledger's entries and what is kept beside them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from editor.models import Approval, CreditAccount, DailyUsage, Job, LedgerEntry, Status, Workspace
from editor.operations import approvals, credits, jobs
from editor.queries import proof
from tests.approvals import ask, make_team
from tests.factories import make_member, make_workspace
from tests.spending import end, spend, start
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    """One with edits of all endings, one that is running, and a grant in between."""
    workspace = make_workspace(balance=100)
    owner, other = workspace.members.get(), make_member(workspace)
    spend(workspace, owner)
    end(start(workspace, other), cost=3)
    credits.grant(workspace=workspace, amount=7, actor=None)
    end(start(workspace, other), Status.FAILED)
    end(start(workspace, owner, approved=True), Status.CANCELED)
    start(workspace, other)
    start(workspace, owner, price=0)
    return workspace


def problem(workspace: Workspace, *, size: int = proof.AT_ONCE) -> str:
    *_, last = proof.run(workspace, size=size)
    assert last.done
    return last.problem


def unguarded(change: Callable[[], object]) -> None:
    """Change the ledger as only a person at the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE editor_ledgerentry DISABLE TRIGGER ledger_append_only")
        change()
        cursor.execute("ALTER TABLE editor_ledgerentry ENABLE TRIGGER ledger_append_only")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_the_operations_write_matches_however_many_are_checked_at_once(
    workspace: Workspace, size: int
) -> None:
    steps = list(proof.run(workspace, size=size))
    entries = LedgerEntry.objects.filter(account=workspace.pk).count()
    assert steps[-1].problem == ""
    assert (steps[-1].checked, steps[-1].total) == (entries, entries)
    assert [step.checked for step in steps[:-1]] == [
        min(size * number, entries) for number in range(1, -(-entries // size) + 1)
    ]


def test_entries_that_come_while_it_is_under_way_do_not_disturb_it(workspace: Workspace) -> None:
    progress = proof.step(proof.begin(workspace), size=3)
    end(start(workspace, workspace.members.earliest("date_joined")))
    while not progress.done:
        progress = proof.step(progress, size=3)
    assert progress.problem == ""


def test_an_empty_ledger_matches() -> None:
    assert problem(make_workspace(balance=0)) == ""


def test_other_workspaces_do_not_matter(workspace: Workspace) -> None:
    other = make_workspace(name="Rivals")
    CreditAccount.objects.filter(pk=other.pk).update(balance=F("balance") + 1)
    assert problem(workspace) == ""
    assert "a balance of 101" in problem(other)


def test_the_first_entry_that_differs_is_named(workspace: Workspace) -> None:
    later = LedgerEntry.objects.filter(account=workspace.pk).order_by("id")[3:5]
    ids = [entry.pk for entry in later]
    changed = LedgerEntry.objects.filter(pk__in=ids)
    unguarded(lambda: changed.update(balance_after=F("balance_after") + 1))
    for size in (1, 100):
        assert f"Entry {ids[0]} has a balance of" in problem(workspace, size=size)


def test_what_is_held_after_an_entry_is_checked(workspace: Workspace) -> None:
    entry = LedgerEntry.objects.filter(account=workspace.pk, kind="hold").latest("id")
    unguarded(lambda: LedgerEntry.objects.filter(pk=entry.pk).update(held_after=F("held_after") + 1))
    assert f"Entry {entry.pk} has" in problem(workspace)


def test_a_missing_entry_is_found(workspace: Workspace) -> None:
    grant = LedgerEntry.objects.get(account=workspace.pk, amount=7)
    following = LedgerEntry.objects.filter(account=workspace.pk, id__gt=grant.pk).earliest("id")
    unguarded(lambda: LedgerEntry.objects.filter(pk=grant.pk).delete())
    assert f"Entry {following.pk} has a balance of" in problem(workspace)


def test_the_accounts_totals_are_checked(workspace: Workspace) -> None:
    CreditAccount.objects.filter(pk=workspace.pk).update(held=F("held") + 2)
    assert "The account has" in problem(workspace)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.PENDING])
def test_what_an_edit_was_charged_or_holds_is_checked(workspace: Workspace, status: Status) -> None:
    job = Job.objects.filter(workspace=workspace, status=status, price__gt=0).earliest("created_at")
    Job.objects.filter(pk=job.pk).update(
        **({"charged": 1} if status == Status.COMPLETED else {"price": job.price + 1})
    )
    hold = LedgerEntry.objects.get(job=job, kind="hold")
    assert f"Entry {hold.pk}, edit {job.pk}" in problem(workspace)


def test_an_edit_that_ended_and_still_holds_is_found(workspace: Workspace) -> None:
    job = Job.objects.get(workspace=workspace, status=Status.PENDING, price__gt=0)
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED, finished_at=job.created_at)
    assert f"edit {job.pk}" in problem(workspace)


def test_an_edit_without_a_hold_is_found(workspace: Workspace) -> None:
    job = add_job(workspace, price=4)
    assert str(job.pk) in problem(workspace)


@pytest.fixture
def unapproved() -> list[Job]:
    """Edits of one workspace that were not approved: one waits, the others were answered in all ways."""
    team = make_team()
    waiting, declined, lapsed, withdrawn = (ask(team.editor) for _ in range(4))
    approvals.decline(actor=team.admin, job=declined, reason="Use the cheaper model")
    Approval.objects.filter(job=lapsed).update(expires_at=timezone.now())
    assert approvals.lapse() == 1
    jobs.cancel(actor=team.editor, job=withdrawn)
    return [waiting, declined, lapsed, withdrawn]


def test_edits_that_were_not_approved_have_no_entries(unapproved: list[Job]) -> None:
    assert problem(unapproved[0].workspace) == ""
    for job in unapproved:
        job.refresh_from_db()
        assert not job.ledger_entries.exists()
        assert job.charged == 0
        Approval.objects.filter(job=job).update(state=Approval.State.GRANTED, decided_at=timezone.now())
        assert problem(job.workspace) == f"Edit {job.pk} costs credits, but no entry holds them."
        Approval.objects.filter(job=job).update(state=Approval.State.LAPSED)


def test_entries_of_an_edit_that_was_not_approved_are_found(unapproved: list[Job]) -> None:
    job = unapproved[1]
    with transaction.atomic():
        credits.hold(account=credits.lock_account(workspace_id=job.workspace_id), job=job)
        credits.release(job=job)
    entry = job.ledger_entries.earliest("id")
    assert (
        problem(job.workspace)
        == f"Entry {entry.pk} is of edit {job.pk}, which was never approved (declined)."
    )


@pytest.mark.parametrize("column", ["credits", "returned"])
def test_the_usage_by_day_is_checked(workspace: Workspace, column: str) -> None:
    row = DailyUsage.objects.filter(account=workspace.pk).earliest("pk")
    DailyUsage.objects.filter(pk=row.pk).update(**{column: F(column) + 1})
    assert f"The usage of {row.day}" in problem(workspace)


def test_usage_of_another_person_is_found(workspace: Workspace) -> None:
    row = DailyUsage.objects.filter(account=workspace.pk, credits=3).get()
    DailyUsage.objects.filter(pk=row.pk).update(user=make_member(workspace))
    assert "The usage of" in problem(workspace)


def test_what_the_limits_count_is_checked(workspace: Workspace) -> None:
    job = Job.objects.get(workspace=workspace, status=Status.PENDING, price__gt=0)
    progress = proof.begin(workspace)
    assert list(proof._counted(progress)) == []
    # An edit counts for its maker: the counters would differ if somebody else had started it.
    entry = LedgerEntry.objects.get(job=job, kind="hold")
    unguarded(lambda: LedgerEntry.objects.filter(pk=entry.pk).update(amount=-5, held_amount=5))
    [difference] = proof._counted(progress)
    assert f"for {job.created_by_id}" in difference


def test_former_members_and_deleted_keys_do_not_disturb_it(workspace: Workspace) -> None:
    workspace.members.latest("date_joined").delete()
    assert problem(workspace) == ""
