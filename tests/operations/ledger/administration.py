"""The acts of owners and operators in a state machine, and what it asserts after each act."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from editor.errors import EditorError
from editor.models import Job, Plan, Role, Status, Workspace
from editor.models.workspaces import RESTORABLE
from editor.operations import credits, deletions, offers, transfers, usage_rules
from editor.operations.workspaces import resume, set_plan, suspend
from tests.operations.ledger.books import Books
from tests.operations.ledger.state import state
from tests.operations.ledger.world import FLARE, HOME, KEYS, NANO, SECOND, WHO, Crash, World

T = TypeVar("T")

CAPS = st.none() | st.integers(0, 30)
PLACES = st.sampled_from([HOME, HOME, HOME, SECOND])
ZONES = st.sampled_from(["UTC", "Pacific/Kiritimati", "America/New_York"])


class Administration(RuleBasedStateMachine):
    start: World  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.world = self.start.fork()
        self.world.clock.at(11, 28)
        self.books = Books(self.world)
        self.before = state()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def attempt(self, act: Callable[[], T], *, crash: bool = False) -> T | EditorError:
        """The result, or the error, which changed nothing. `crash`: before the end, which changes nothing."""
        try:
            if not crash:
                return act()
            with suppress(Crash), transaction.atomic():
                act()
                raise Crash
            error = EditorError("It crashed.")
        except EditorError as refusal:
            error = refusal
        assert state() == self.before
        return error

    @invariant()
    def everything_adds_up(self) -> None:
        now = state()
        if now != self.before:
            self.before = now
            self.books.check()

    # --- Limits, rules, prices ---------------------------------------------------------------

    @rule(whose=st.sampled_from(WHO[1:]), monthly=CAPS, daily=CAPS)
    def limit(self, whose: str, monthly: int | None, daily: int | None) -> None:
        if whose in KEYS:
            self.attempt(lambda: self.world.limit_key(whose, monthly, daily))
        else:
            self.attempt(lambda: self.world.limit_member(whose, monthly_cap=monthly, daily_cap=daily))

    @rule(monthly=CAPS, daily=CAPS, threshold=CAPS, zone=ZONES)
    def limit_workspace(
        self, monthly: int | None, daily: int | None, threshold: int | None, zone: str
    ) -> None:
        self.attempt(lambda: self.world.limit_workspace(monthly, daily, threshold, zone))

    @rule(role=st.sampled_from(["", Role.EDITOR]), providers=st.sets(st.sampled_from(["google", "kie"])))
    def change_rules(self, role: str, providers: set[str]) -> None:
        self.attempt(
            lambda: usage_rules.save(
                actor=self.world.actor("owner"),
                role=role,
                allowed_models=[],
                allowed_tiers=[],
                allowed_providers=providers,
            )
        )

    @rule(
        model=st.sampled_from([NANO, FLARE, ""]),
        price=st.none() | st.integers(0, 9),
        everywhere=st.booleans(),
    )
    def change_offer(self, model: str, price: int | None, everywhere: bool) -> None:
        """The price of a model; or without one, whether Google is used."""
        operator = self.world.operator
        if not model:
            offers.switch_route(
                actor=operator, provider="google", model=NANO, on=everywhere, reason="It is slow."
            )
        elif everywhere:
            offers.set_model(actor=operator, model=model, enabled=True, credits=price, retires_on=None)
        else:
            offers.set_price(actor=operator, model=model, workspace=self.world.workspace(), credits=price)

    # --- Workspaces, credits, people ---------------------------------------------------------

    @rule(where=PLACES, how=st.sampled_from(["suspend", "delete", "crash"]), stays=st.booleans())
    def close(self, where: int, how: str, stays: bool) -> None:
        """Suspend or delete a workspace, where nothing starts then; it is opened again unless it `stays`."""
        if how == "suspend":
            suspend(actor=self.world.operator, workspace=self.world.workspace(where), reason="We ask why.")
        else:
            self.attempt(lambda: self.world.delete(where, crash=how == "crash"))
        self.everything_adds_up()
        assert isinstance(self.attempt(lambda: self.world.edit("owner", where=where)), EditorError)
        if how == "crash":
            self.sweep_deleted()
        if not stays:
            self.open()

    @rule()
    def open(self) -> None:
        for where in (HOME, SECOND):
            self.everything_adds_up()
            resume(actor=self.world.operator, workspace=self.world.workspace(where), reason="They said why.")
            self.everything_adds_up()
            self.attempt(lambda where=where: self.world.restore(where))  # type: ignore[misc]

    def sweep_deleted(self) -> None:
        long_ago = self.world.clock.now - RESTORABLE
        if not Workspace.objects.filter(deleted_at__lt=long_ago).exists():  # nothing is purged
            deletions.sweep()
            assert not Job.objects.filter(workspace__deleted_at__isnull=False, status=Status.PENDING).exists()

    @rule(where=PLACES, amount=st.integers(-20, 30).filter(bool), crash=st.booleans())
    def give(self, where: int, amount: int, crash: bool) -> None:
        workspace, operator = self.world.workspace(where), self.world.operator
        self.attempt(
            lambda: credits.give(workspace=workspace, amount=amount, actor=operator, reason="As agreed."),
            crash=crash,
        )

    @rule(source=PLACES, amount=st.integers(1, 30))
    def transfer(self, source: int, amount: int) -> None:
        self.attempt(
            lambda: transfers.transfer(
                actor=self.world.actor("owner", source),
                to=self.world.actor("owner", SECOND - source),
                amount=amount,
            )
        )

    @rule(where=PLACES, number=st.integers(0, 3), monthly_credits=st.none() | st.integers(0, 40))
    def change_plan(self, where: int, number: int, monthly_credits: int | None) -> None:
        """Another one, or what it gives."""
        if monthly_credits is None:
            plan = Plan.objects.get(pk=self.world.plans[number])
            set_plan(actor=self.world.operator, workspace=self.world.workspace(where), plan=plan)
        else:
            self.world.change_plan(number, monthly_credits)

    @rule(
        who=st.sampled_from(["editor", "colleague"]),
        what=st.sampled_from(["leave", "join", "replace", "rotate"]),
    )
    def change_people(self, who: str, what: str) -> None:
        """Or rotate the key of one of them, or that of the workspace."""
        if self.world.workspace().deleted_at:
            return
        if what == "rotate":
            self.attempt(lambda: self.world.rotate("key" if who == "editor" else "workspace_key"))
        else:
            self.attempt(lambda: getattr(self.world, what)(who))
