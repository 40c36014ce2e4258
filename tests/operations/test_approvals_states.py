"""Any sequence of requests and answers keeps every sum: nothing is held for what waits or was refused."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor.errors import EditorError
from editor.models import Approval, CreditAccount, DailyUsage, Job, LedgerEntry, Membership, Status
from editor.operations import approvals, images, jobs, outcomes
from editor.operations.jobs import NewEdit
from editor.queries import limits, pricing
from tests.approvals import KONTEXT, PROMPT, Team, ask, make_team

pytestmark = pytest.mark.django_db
State = Approval.State

ACTS = [
    "ask",
    "run",
    "approve",
    "raise",
    "decline",
    "withdraw",
    "lapse",
    "price",
    "complete",
    "fail",
    "cancel",
]
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9)), max_size=30)


class World:
    """One workspace, and what should be true of it after each act."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.team = make_team(balance=40, cap=6, monthly_limit=30)
        self.price = 4
        self.refused = 0
        monkeypatch.setattr(pricing, "price", lambda **given: self.price)
        monkeypatch.setattr(images, "create_results", lambda **given: None)

    def act(self, name: str, number: int) -> None:
        try:
            with transaction.atomic():
                self._act(name, number)
        except EditorError:
            self.refused += 1

    def _act(self, name: str, number: int) -> None:
        team = self.team
        if name == "price":
            self.price = number
        elif name == "ask":
            ask(team.editor)
        elif name == "run":
            jobs.submit(actor=team.editor, request=NewEdit(prompt=PROMPT, model=KONTEXT))
        elif name == "lapse":
            past = timezone.now() - timedelta(seconds=1)
            Approval.objects.filter(pk__in=list(_waiting(team)[:1])).update(expires_at=past)
            approvals.lapse()
        else:
            self._end(name, number)

    def _end(self, name: str, number: int) -> None:
        team = self.team
        rows = list(Job.objects.filter(workspace=team.workspace).order_by("created_at"))
        if not rows:
            return
        job = rows[number % len(rows)]
        if name in ("approve", "raise"):
            approvals.approve(actor=team.admin, job=job, price=self.price, raise_cap=name == "raise")
        elif name == "decline":
            approvals.decline(actor=team.owner, job=job, reason="no")
        elif name in ("withdraw", "cancel"):
            jobs.cancel(actor=team.editor, job=job)
        elif name == "complete" and job.is_live:
            outcomes.end_completed(job=job, stored=[Mock()], seed=None)
        elif name == "fail" and job.is_live:
            outcomes.end_failed(job=job, code="x", message="x")


def _waiting(team: Team) -> list[object]:
    return list(
        Approval.objects.filter(workspace=team.workspace, state=State.WAITING).values_list("pk", flat=True)
    )


def assert_adds_up(team: Team) -> None:
    rows = Job.objects.filter(workspace=team.workspace)
    account = CreditAccount.objects.get(workspace=team.workspace)
    entries = LedgerEntry.objects.filter(account=account)
    sums = entries.aggregate(balance=Sum("amount", default=0), held=Sum("held_amount", default=0))
    assert (account.balance, account.held) == (sums["balance"], sums["held"])
    live = [job for job in rows if job.is_live]
    assert account.held == sum(job.price for job in live)
    charged = sum(job.charged for job in rows)
    assert account.balance == 40 - account.held - charged
    assert 0 <= account.held + charged <= 30, "the workspace's budget holds for approved edits too"
    states = {Status.WAITING: {State.WAITING}, Status.CANCELED: {State.WITHDRAWN, State.GRANTED}}
    for approval in Approval.objects.filter(workspace=team.workspace).select_related("job"):
        job = approval.job
        assert (approval.state == State.GRANTED) == job.approved
        assert (approval.state == State.WAITING) == (job.status == Status.WAITING)
        assert approval.state in states.get(Status(job.status), State)
        if not job.approved:
            assert not entries.filter(job=job).exists(), "nothing moves for an edit that was not approved"
    mine = Membership.objects.get(pk=team.editor.membership.pk)
    own = [job for job in rows if not job.approved and job.status != Status.WAITING]
    counted = sum(job.charged if job.has_ended else job.price for job in own)
    used = next(one for one in limits.of(team.editor) if one.kind == "member_month").used
    assert used == counted <= (mine.monthly_cap or 0), "the cap holds for what was not approved"
    usage = DailyUsage.objects.filter(account=account)
    assert usage.aggregate(sum=Sum("credits", default=0))["sum"] == charged
    finished = [job for job in rows if job.has_ended and (job.approved or not hasattr(job, "approval"))]
    ended = usage.aggregate(sum=Sum("edits", default=0) + Sum("failed", default=0))["sum"]
    assert ended == len(finished), "an edit that was not approved is in no report"


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=acts)
def test_any_sequence_adds_up(monkeypatch: pytest.MonkeyPatch, sequence: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        world = World(monkeypatch)
        for name, number in sequence:
            world.act(name, number)
            assert_adds_up(world.team)
        transaction.set_rollback(True)
