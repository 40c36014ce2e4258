"""Whatever happens in whatever order: every balance, counter and member's spend equals the sum of entries.

What is refused changes nothing, and is refused for the reason that it names.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from editor.errors import EditorError, InsufficientCredits, WorkspaceSuspended
from editor.models import LIVE, Approval, CreditAccount, Job, LedgerEntry, Status, UsageRule, Workspace
from editor.operations import allowances, approvals, quotes
from editor.operations.limits import OverLimit
from editor.queries.limits import today
from tests.operations.ledger.administration import PLACES, Administration
from tests.operations.ledger.state import state
from tests.operations.ledger.world import HOME, KEYS, PEOPLE, WHO, make_world
from tests.operations.months import Clock, clock

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

ANYBODY = st.sampled_from(WHO)
SPENDERS = st.sampled_from(["editor", "colleague", "key", "workspace_key"])
DECIDERS = st.sampled_from(PEOPLE)
NUMBER = st.integers(0, 9)
MOVES = st.sampled_from([1, 10, 24, 24 * 8, 24 * 33, -3, -24, -24 * 32])  # hours


class Ledger(Administration):
    # --- Edits -------------------------------------------------------------------------------

    @rule(who=ANYBODY, where=PLACES, samples=st.integers(0, 4), crash=st.sampled_from([False] * 5 + [True]))
    def edit(self, who: str, where: int, samples: int, crash: bool) -> None:
        where = HOME if who in KEYS else where  # a key acts in its own workspace
        done = self.attempt(lambda: self.world.edit(who, where=where, samples=samples), crash=crash)
        if isinstance(done, OverLimit):
            assert done.limit.used + self.price(samples) > done.limit.allowed
        elif isinstance(done, InsufficientCredits):
            account = CreditAccount.objects.get(pk=self.world.workspaces[where])
            assert account.balance < self.price(samples)
        elif isinstance(done, WorkspaceSuspended):
            assert self.world.workspace(where).suspended_at
        elif isinstance(done, Job):
            self.check_started(done)

    @rule(who=ANYBODY, samples=st.sampled_from([0, 2]), count=st.integers(2, 4))
    def several_edits(self, who: str, samples: int, count: int) -> None:
        for _ in range(count):
            self.edit(who, HOME, samples, crash=False)
            self.everything_adds_up()

    @rule(
        who=SPENDERS,
        samples=st.integers(0, 4),
        count=st.integers(1, 3),
        decider=st.none() | DECIDERS,
    )
    def ask(self, who: str, samples: int, count: int, decider: str | None) -> None:
        """For approvals, where a limit is in the way; somebody may give all that wait."""
        for _ in range(count):
            self.ask_once(who, samples)
            self.everything_adds_up()
        for job in self.world.waiting() if decider else []:
            self.decide(job, str(decider), raise_cap=False)
            self.everything_adds_up()

    def ask_once(self, who: str, samples: int) -> None:
        done = self.attempt(lambda: self.world.edit(who, samples=samples, approval_message="please"))
        if isinstance(done, OverLimit):
            assert not done.limit.lifted_by_approval
        elif isinstance(done, Job) and done.status != Status.WAITING:
            self.check_started(done)

    @rule(who=SPENDERS, new=st.booleans())
    def edit_at_the_quoted_price(self, who: str, new: bool) -> None:
        """`new`: a quote of this moment; otherwise the newest one, valid or not."""
        if new:
            self.attempt(lambda: self.world.quote(who))
            self.everything_adds_up()
        with suppress(EditorError):
            quote = self.world.newest_quote(who)
            done = self.attempt(lambda: self.world.edit(who, quote_id=quote and quote.pk))
            if quote and isinstance(done, Job):
                assert done.price <= quote.price
                assert who not in KEYS or quote.expires_at > self.world.clock.now
            elif quote and isinstance(done, quotes.QuoteExpired):
                assert quote.expires_at <= self.world.clock.now

    @rule(who=SPENDERS, samples=st.integers(1, 4))
    def edit_on_an_own_key(self, who: str, samples: int) -> None:
        done = self.attempt(lambda: self.world.edit(who, samples=samples, own_key=True))
        if isinstance(done, Job):
            assert (done.status, done.price) == (Status.PENDING, 0)

    @precondition(lambda self: self.world.live())
    @rule(number=NUMBER, images=st.integers(0, 4))
    def complete(self, number: int, images: int) -> None:
        job = self.one_of(self.world.live(), number)
        images = min(images, job.samples)
        price = job.price if job.reduced_price is None else job.reduced_price
        assert self.world.complete(job, images)
        assert job.charged == price * images // job.samples <= job.price

    @precondition(lambda self: self.world.live())
    @rule(number=NUMBER, how=st.sampled_from(["run", "fail", "cancel"]))
    def go_on(self, number: int, how: str) -> None:
        job = self.one_of(self.world.live(), number)
        if how == "cancel":
            self.attempt(lambda: self.world.cancel(job))
        else:
            getattr(self.world, how)(job)

    @precondition(lambda self: self.world.live())
    @rule(number=NUMBER)
    def fail_over(self, number: int) -> None:
        job = self.one_of(self.world.live(), number)
        if self.world.fail_over(job):
            assert job.reduced_price is not None
            assert job.reduced_price <= job.price

    @rule(number=NUMBER)
    def end_again(self, number: int) -> None:
        """A second run of the job, after a crash; or a click on an old page."""
        ended = self.world.jobs(Status.COMPLETED, Status.FAILED, Status.CANCELED)
        if ended:
            job = self.one_of(ended, number)
            assert not self.world.complete(job, 1)
            self.world.fail(job)
            self.world.run(job)
            assert isinstance(self.attempt(lambda: self.world.cancel(job)), EditorError)
            assert state() == self.before

    # --- Approvals ---------------------------------------------------------------------------

    @precondition(lambda self: self.world.waiting())
    @rule(number=NUMBER, who=DECIDERS, raise_cap=st.booleans())
    def approve(self, number: int, who: str, raise_cap: bool) -> None:
        self.decide(self.one_of(self.world.waiting(), number), who, raise_cap=raise_cap)

    def decide(self, job: Job, who: str, *, raise_cap: bool) -> None:
        shown = job.price
        try:
            self.world.approve(job, who, raise_cap=raise_cap)
        except EditorError:
            job.refresh_from_db()
            assert job.status == Status.WAITING
            if job.price == shown:
                assert state() == self.before
            return
        job.refresh_from_db()
        assert (job.status, job.price) == (Status.PENDING, shown)
        assert self.world.users[who] != job.created_by_id
        self.check_started(job)
        self.everything_adds_up()
        self.world.approve(job, who)  # a second click
        assert state() == self.before

    @precondition(lambda self: self.world.waiting())
    @rule(number=NUMBER, who=ANYBODY, how=st.sampled_from(["decline", "cancel"]))
    def refuse(self, number: int, who: str, how: str) -> None:
        job = self.one_of(self.world.waiting(), number)
        self.attempt(lambda: getattr(self.world, how)(job, who))

    # --- Time, and what the worker does from time to time ------------------------------------

    @rule(hours=MOVES)
    def move_the_clock(self, hours: int) -> None:
        self.world.clock.now += timedelta(hours=hours)
        self.books.check()
        self.attempt(allowances.renew_due, crash=True)
        allowances.renew_due()
        for pk in self.world.workspaces:
            allowances.renew(workspace_id=pk)  # as a change of its plan does, due or not
            self.check_month(pk)
        approvals.lapse()
        waiting = Approval.objects.filter(state=Approval.State.WAITING)
        assert not waiting.filter(expires_at__lte=self.world.clock.now).exists()

    def check_month(self, pk: UUID) -> None:
        """An open workspace has the month's credits, unless the clock has gone back."""
        row = Workspace.objects.select_related("plan", "credit_account").get(pk=pk)
        month, account = today(row).replace(day=1), row.credit_account
        ahead = account.allowance_period and account.allowance_period > month
        if row.deleted_at or ahead or not row.plan.monthly_credits:
            return
        given = LedgerEntry.objects.filter(account=account, kind=LedgerEntry.Kind.ALLOWANCE)
        assert given.filter(period__gte=month).exists()

    # --- Helpers -----------------------------------------------------------------------------

    def one_of(self, found: list[Job], number: int) -> Job:
        return found[number % len(found)]

    def price(self, samples: int) -> int:
        """The highest that an edit of these samples could cost now."""
        return 9 * max(1, samples)

    def check_started(self, job: Job) -> None:
        """Only in an open workspace, and on a provider that the rules allow who asked."""
        workspace = Workspace.objects.get(pk=job.workspace_id)
        assert job.status in LIVE
        assert not workspace.suspended_at
        assert not workspace.deleted_at
        role = workspace.memberships.get(user=job.created_by_id).role
        for row in UsageRule.objects.filter(workspace=workspace, role__in=["", role]):
            assert not row.allowed_providers or job.provider in row.allowed_providers


@pytest.mark.usefixtures("media_folder")
def test_everything_adds_up_in_any_order(clock: Clock) -> None:
    Ledger.start = make_world(clock)
    run_state_machine_as_test(Ledger, settings=settings(max_examples=12, stateful_step_count=30))
