"""Two acts at once, on two connections: every balance, limit and counter holds, and nobody sees a deadlock.

Each pair begins together and ends before the next. What both threads do is drawn by a seed; in which order
their statements reach the database is not, and must not matter.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from editor.errors import EditorError
from editor.models import Plan, Status
from editor.operations import allowances, approvals, credits, deletions, jobs, transfers, workspaces
from editor.operations.jobs import NewEdit
from editor.operations.limits import OverLimit
from editor.queries import limits
from tests.factories import make_actor, make_member, make_workspace
from tests.operations.ledger.books import Books
from tests.operations.ledger.world import HOME, KEYS, PEOPLE, SECOND, World, make_world
from tests.operations.months import Clock, clock
from tests.patience import PATIENCE

__all__ = ["clock"]

pytestmark = pytest.mark.usefixtures("committed")
Act = Callable[[], Any]

SPENDERS = ("admin", "editor", "colleague", "key", "workspace_key")


def at_once(threads: ThreadPoolExecutor, *acts: Act) -> list[Any]:
    """Their results; an EditorError is one. The acts begin together, each on its own connection."""
    start = Barrier(len(acts))

    def attempt(act: Act) -> Any:
        try:
            start.wait(PATIENCE)
            return act()
        except EditorError as error:
            return error
        finally:
            connection.close()

    return list(threads.map(attempt, acts))


class Drawn:
    """Acts that a seed draws. What they are about is drawn before they begin."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)

    def act(self) -> Act:
        acts = [self.edit] * 4 + [self.ask] * 3 + [self.end] * 4 + [self.decide] * 4
        acts += [self.limit, self.plan, self.give, self.transfer, self.month, self.close, self.leave]
        return self.draw.choice(acts)()

    def edit(self) -> Act:
        who, samples = self.draw.choice(SPENDERS), self.draw.choice([0, 0, 2])
        return lambda: self.world.edit(who, samples=samples)

    def ask(self) -> Act:
        who = self.draw.choice(("editor", "key"))
        return lambda: self.world.edit(who, samples=3, approval_message="please")

    def end(self) -> Act:
        """Often the same edit as the other thread."""
        found = self.world.live()[:2]
        if not found:
            return self.edit()
        job, images = self.draw.choice(found), self.draw.randint(0, 1)
        world = self.world
        ways: list[Act] = [
            lambda: world.complete(job, images),
            lambda: world.fail(job),
            lambda: world.cancel(job),
            lambda: world.run(job),
            lambda: world.fail_over(job),
        ]
        return self.draw.choice(ways)

    def decide(self) -> Act:
        """About an edit that waits, or was approved a moment ago."""
        found = self.world.jobs(Status.WAITING) or [job for job in self.world.live() if job.approved]
        if not found:
            return self.ask()
        job, who = found[0], self.draw.choice(("owner", "admin"))
        world = self.world
        ways: list[Act] = [
            lambda: world.approve(job, who),
            lambda: world.approve(job, who, raise_cap=True),
            lambda: world.decline(job, who),
            lambda: world.cancel(job, "editor"),
            approvals.lapse,
        ]
        return self.draw.choice(ways)

    def limit(self) -> Act:
        cap, whose = self.draw.randint(0, 40), self.draw.choice((*PEOPLE[1:], *KEYS, ""))
        if whose in KEYS:
            return lambda: self.world.limit_key(whose, cap, None)
        if whose:
            return lambda: self.world.limit_member(whose, daily_cap=cap)
        return lambda: self.world.limit_workspace(60, cap, 12)

    def plan(self) -> Act:
        """By an operator, on the portal's pages or in the admin."""
        pk, operator = self.draw.choice(self.world.plans), self.world.operator

        def in_admin() -> None:
            row = self.world.workspace()
            row.plan = Plan.objects.get(pk=pk)
            workspaces.save(workspace=row)

        def on_page() -> None:
            workspaces.set_plan(
                actor=operator, workspace=self.world.workspace(), plan=Plan.objects.get(pk=pk)
            )

        return self.draw.choice([in_admin, on_page])

    def give(self) -> Act:
        amount, operator = self.draw.choice((-15, 5, 25)), self.world.operator
        return lambda: credits.give(
            workspace=self.world.workspace(), amount=amount, actor=operator, reason="As agreed."
        )

    def transfer(self) -> Act:
        source, amount = self.draw.choice((HOME, SECOND)), self.draw.randint(1, 20)
        return lambda: transfers.transfer(
            actor=self.world.actor("owner", source),
            to=self.world.actor("owner", SECOND - source),
            amount=amount,
        )

    def month(self) -> Act:
        return allowances.renew_due

    def close(self) -> Act:
        return lambda: self.world.delete(HOME)

    def leave(self) -> Act:
        who = self.draw.choice(("editor", "colleague"))
        how = self.draw.choice((self.world.leave, self.world.replace))
        return lambda: how(who)

    def between(self) -> None:
        """What brings the world back into use, and sometimes a new day or month. Alone."""
        if self.world.workspace().deleted_at:
            deletions.sweep()
            self.world.restore(HOME)
        for who in ("editor", "colleague"):
            if not self.world.workspace().memberships.filter(user=self.world.users[who]).exists():
                self.world.join(who)
                self.world.limit_member(who, monthly_cap=24, daily_cap=15)
        self.world.clock.now += timedelta(days=self.draw.choice([0] * 6 + [1, 20, -1]))


@pytest.mark.parametrize("seed", range(3))
def test_any_two_acts_at_once(clock: Clock, seed: int) -> None:
    world = make_world(clock)
    books, drawn = Books(world), Drawn(world, seed)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(20):
            at_once(threads, drawn.act(), drawn.act())
            books.check()
            drawn.between()
            books.check()


def test_a_limit_for_seven_lets_seven_of_forty_simultaneous_edits_run(clock: Clock) -> None:
    workspace = make_workspace(balance=1000)
    member = make_actor(workspace, user=make_member(workspace, monthly_cap=7 * 4 + 3))

    def attempt(number: int) -> Any:
        try:
            return jobs.submit(actor=member, request=NewEdit(prompt="a harbour", tier="standard")).price
        except OverLimit as error:
            return error.more["remaining"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(attempt, range(40))) == [3] * 33 + [4] * 7
    [limit] = limits.of(member)
    assert (limit.used, limit.remaining) == (28, 3)
