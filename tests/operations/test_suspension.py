"""A suspended workspace: no edit starts, all that runs goes on, and monthly credits still come."""

from __future__ import annotations

import asyncio

import pytest

from editor.engine import execution
from editor.errors import InvalidInput, WorkspaceSuspended
from editor.models import Approval, AuditEntry, CreditAccount, Job, Status, User, Workspace
from editor.operations import allowances, approvals, jobs, workspaces
from editor.operations.jobs import NewEdit
from tests.approvals import PRICE, approval_of, ask, make_team
from tests.factories import PASSWORD, make_actor, make_workspace
from tests.operations.months import Clock, balance, clock, make, moves, plan

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

REASON = "Invoice 7 is not paid."
WORDS = r"This workspace is suspended: Invoice 7 is not paid\. No edit can be started\. An operator"


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD, name="Ada")


def totals(workspace: Workspace) -> tuple[int, int]:
    row = CreditAccount.objects.get(workspace=workspace)
    return row.balance, row.held


def test_no_edit_starts_until_it_is_resumed(operator: User) -> None:
    actor = make_actor()
    for _ in range(2):
        workspaces.suspend(actor=operator, workspace=actor.workspace, reason=REASON)
    now = make_actor(actor.workspace)  # the other one was authenticated before
    for start, by in ((jobs.check, now), (jobs.submit, now), (jobs.submit, actor)):
        with pytest.raises(WorkspaceSuspended, match=WORDS) as caught:
            start(actor=by, request=NewEdit(prompt="a harbour"))
        assert (caught.value.code, caught.value.status) == ("workspace_suspended", 403)
    for _ in range(2):
        workspaces.resume(actor=operator, workspace=actor.workspace, reason="Paid")
    jobs.submit(actor=make_actor(actor.workspace), request=NewEdit(prompt="a harbour"))
    entries = AuditEntry.objects.filter(target=actor.workspace.name, data__has_key="note").order_by("pk")
    assert [(one.action, one.data["note"], one.before, one.after) for one in entries] == [
        ("workspace.suspended", REASON, {"suspended": False}, {"suspended": True}),
        ("workspace.resumed", "Paid", {"suspended": True}, {"suspended": False}),
    ]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_it_needs_a_reason(operator: User, reason: str) -> None:
    workspace = make_workspace()
    with pytest.raises(InvalidInput):
        workspaces.suspend(actor=operator, workspace=workspace, reason=reason)
    workspace.refresh_from_db()
    assert workspace.suspended_at is None


def test_no_approval_can_be_asked_for_or_granted(operator: User) -> None:
    team = make_team()
    waiting, other = ask(team.editor), ask(team.editor)
    workspaces.suspend(actor=operator, workspace=team.workspace, reason=REASON)
    with pytest.raises(WorkspaceSuspended, match=WORDS):
        approvals.approve(actor=team.admin, job=waiting, price=PRICE)
    with pytest.raises(WorkspaceSuspended, match=WORDS):
        ask(make_actor(team.workspace, user=team.editor.user))
    approvals.decline(actor=team.admin, job=other, reason="Not now")
    waiting.refresh_from_db()
    assert (waiting.status, approval_of(waiting).state) == (Status.WAITING, Approval.State.WAITING)
    assert (totals(team.workspace), Job.objects.count()) == ((100, 0), 2)
    workspaces.resume(actor=operator, workspace=team.workspace, reason="Paid")
    approvals.approve(actor=team.admin, job=waiting, price=PRICE)
    assert totals(team.workspace) == (100 - PRICE, PRICE)


def test_monthly_credits_still_come_and_end(operator: User, clock: Clock) -> None:
    workspace = make(plan(100), balance=20)
    workspaces.suspend(actor=operator, workspace=workspace, reason=REASON)
    clock.at(12)
    assert allowances.renew_due() == 1
    assert moves(workspace) == [("allowance", 100), ("expire", -100), ("allowance", 100)]
    assert balance(workspace) == 120


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("prompt", "charged"), [("a quiet harbour", PRICE), ("[fail] a harbour", 0)])
def test_an_edit_that_was_submitted_runs_to_its_end_and_is_settled(prompt: str, charged: int) -> None:
    operator, actor = User.objects.create_superuser("ada@example.test", PASSWORD), make_actor(balance=100)
    job = jobs.submit(actor=actor, request=NewEdit(prompt=prompt))
    workspaces.suspend(actor=operator, workspace=actor.workspace, reason=REASON)
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert (job.status, job.charged) == (Status.COMPLETED if charged else Status.FAILED, charged)
    assert totals(actor.workspace) == (100 - charged, 0)
