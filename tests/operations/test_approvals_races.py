"""Two people, or a person and the clock, decide at once: one does, and the credits move once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.utils import timezone

from editor.errors import EditorError
from editor.models import Approval, CreditAccount, Job, LedgerEntry, Status
from editor.operations import approvals, credits, deletions, jobs, members, outcomes
from editor.operations.jobs import NewEdit
from editor.queries import limits
from editor.queries import members as member_queries
from tests.approvals import KONTEXT, PRICE, PROMPT, Team, approval_of, ask, make_team
from tests.operations.ledger.world import results
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.usefixtures("committed")


def at_once(*acts: Callable[[], object]) -> list[bool]:
    """Which of the acts succeeded. Each has its own connection, and they begin together."""
    start = Barrier(len(acts))

    def attempt(act: Callable[[], object]) -> bool:
        start.wait(PATIENCE)
        try:
            act()
        except EditorError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(attempt, acts))


def assert_one_end(team: Team, job: Job) -> None:
    """The edit runs with its price held once, or it has ended and nothing is held."""
    job.refresh_from_db()
    runs = job.status == Status.PENDING
    assert (approval_of(job).state == Approval.State.GRANTED) == runs
    assert job.approved == runs
    account = CreditAccount.objects.get(workspace=team.workspace)
    assert (account.balance, account.held) == ((96, 4) if runs else (100, 0))
    assert LedgerEntry.objects.filter(job=job).count() == runs
    assert runs or job.has_ended


@pytest.mark.parametrize("round", range(3))
def test_two_deciders(round: int) -> None:
    team = make_team()
    job = ask(team.editor)
    outcomes = at_once(
        lambda: approvals.approve(actor=team.owner, job=job, price=PRICE),
        lambda: approvals.decline(actor=team.admin, job=job, reason="no"),
    )
    assert sorted(outcomes) == [False, True]
    assert_one_end(team, job)


@pytest.mark.parametrize("round", range(3))
def test_approving_and_withdrawing(round: int) -> None:
    team = make_team()
    job = ask(team.editor)
    outcomes = at_once(
        lambda: approvals.approve(actor=team.owner, job=job, price=PRICE, raise_cap=True),
        lambda: jobs.cancel(actor=team.editor, job=job),
    )
    assert outcomes[1]  # a running edit is canceled too
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    account = CreditAccount.objects.get(workspace=team.workspace)
    assert (account.balance, account.held) == (100, 0)


def test_approving_lapsing_and_leaving() -> None:
    team = make_team()
    job = ask(team.editor)
    Approval.objects.update(expires_at=timezone.now())
    at_once(
        lambda: approvals.approve(actor=team.owner, job=job, price=PRICE, raise_cap=True),
        approvals.lapse,
        lambda: members.remove(actor=team.admin, membership=team.editor.membership),
    )
    assert_one_end(team, job)


def test_approving_and_deleting_the_workspace() -> None:
    team = make_team()
    job = ask(team.editor)
    at_once(
        lambda: approvals.approve(actor=team.admin, job=job, price=PRICE),
        lambda: deletions.delete(actor=team.owner, name=team.workspace.name),
    )
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert CreditAccount.objects.get(workspace=team.workspace).held == 0


def test_approvals_and_submissions_share_one_budget() -> None:
    """Of six approvals and six edits at once, as many run as the budget allows."""
    team = make_team(monthly_limit=5 * PRICE)
    waiting = [ask(team.editor) for _ in range(6)]

    def approve(job: Job) -> Callable[[], object]:
        return lambda: approvals.approve(actor=team.admin, job=job, price=PRICE)

    def submit() -> object:
        return jobs.submit(actor=team.owner, request=NewEdit(prompt=PROMPT, model=KONTEXT))

    outcomes = at_once(*map(approve, waiting), *[submit] * 6)
    assert outcomes.count(True) == 5
    assert member_queries.spent(team.workspace) == 5 * PRICE
    assert CreditAccount.objects.get(workspace=team.workspace).held == 5 * PRICE
    assert [limit.used for limit in limits.of(team.editor) if limit.kind == "member_month"] == [0]


def test_approving_again_does_not_wait_for_an_edit_that_is_ending() -> None:
    """Who ends an edit locks its row before the account: the other order would be a deadlock."""
    team = make_team()
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=PRICE)

    def act() -> list[bool]:
        return at_once(
            lambda: approvals.approve(actor=team.admin, job=job, price=PRICE),
            lambda: approvals.approve(actor=team.owner, job=job, price=PRICE),
            lambda: approvals.decline(actor=team.owner, job=job, reason="no"),
        )

    with transaction.atomic():
        row = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(act).result(PATIENCE) == [True, False, False]
        outcomes.end_failed(job=row, code="internal", message="no")
    assert CreditAccount.objects.get(workspace=team.workspace).balance == 100


def test_many_deciders_hold_the_price_once() -> None:
    team = make_team()
    job = ask(team.editor)
    at_once(
        *[lambda: approvals.approve(actor=team.owner, job=job, price=PRICE)] * 4,
        *[lambda: approvals.approve(actor=team.admin, job=job, price=PRICE)] * 4,
    )
    assert_one_end(team, job)


def test_approving_again_while_the_edit_ends() -> None:
    """The end of an edit locks it before the account. A second approval has that, and does not wait."""
    team = make_team()
    job = ask(team.editor)
    approvals.approve(actor=team.owner, job=job, price=PRICE)
    job.refresh_from_db()
    settle = credits.settle

    def approve_again() -> None:
        try:
            approvals.approve(actor=team.owner, job=job, price=PRICE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:

        def slowly(**fields: Any) -> None:
            second = threads.submit(approve_again)
            wait_until(lambda: second.done() or somebody_waits_for_our_locks())
            settle(**fields)
            ended.append(second)

        ended: list[Future[None]] = []
        with mock.patch.object(credits, "settle", slowly):
            assert outcomes.end_completed(job=job, stored=results(1), seed=None)
        ended[0].result(PATIENCE)
    account = CreditAccount.objects.get(workspace=team.workspace)
    assert (account.balance, account.held) == (96, 0)
