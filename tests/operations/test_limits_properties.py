"""Whatever order edits, their ends, limits, quotes and failover come in: counters equal the ledger."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from editor.access.actor import Actor
from editor.engine import failover
from editor.errors import EditorError, InsufficientCredits, WorkspaceSuspended
from editor.models import LIVE, CreditAccount, Job, Membership, Quote, Status, Workspace
from editor.operations import api_keys, credits, jobs, members, outcomes, quotes, workspace_settings
from editor.operations.images import Stored
from editor.operations.jobs import NewEdit
from editor.operations.limits import OverLimit
from editor.operations.quotes import QuoteExpired
from editor.providers.base import ErrorKind, ProviderError
from editor.queries import limits, pricing
from editor.queries.pricing import Choice
from tests.factories import make_actor, make_member, make_provider_key, make_workspace
from tests.operations.spending import assert_counted

pytestmark = pytest.mark.django_db

MODEL = "google/gemini-nano-banana-2.1"  # by Google for 6 credits, by kie for 3
CAPS = st.none() | st.integers(0, 60)
REFUSED = ProviderError(ErrorKind.UNAVAILABLE, "It is down.")


def actors_of(workspace: Workspace) -> list[Actor]:
    """The owner, a member with caps, and that member with an API key that has caps too."""
    owner = make_actor(workspace)
    member = make_actor(workspace, user=make_member(workspace, monthly_cap=40, daily_cap=25))
    key, _ = api_keys.create(actor=member, name="script", monthly_cap=20, daily_cap=15)
    return [owner, member, replace(member, channel="api", key_id=key.pk)]


def reread(actor: Actor) -> Actor:
    membership = Membership.objects.select_related("workspace__plan").get(pk=actor.membership.pk)
    return replace(actor, membership=membership, workspace=membership.workspace)


def result() -> Stored:
    return Stored(uuid4(), f"nowhere/{uuid4()}.png", "image/png", width=8, height=8, size=1)


class Spending(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.surcharge, self.now = 0, timezone.now()
        of_catalogue = Choice.credits.fget  # type: ignore[attr-defined]
        self.patches: list[Any] = [
            mock.patch.object(
                Choice, "credits", property(lambda choice: of_catalogue(choice) + self.surcharge)
            ),
            mock.patch.object(limits, "timezone", SimpleNamespace(now=self.clock)),
        ]
        for patch in self.patches:
            patch.start()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        for provider in ("google", "kie"):
            make_provider_key(workspace=None, provider=provider)
        self.workspace = make_workspace(balance=90)
        self.actors = actors_of(self.workspace)

    def clock(self) -> datetime:
        return self.now

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        for patch in self.patches:
            patch.stop()

    def live(self) -> list[Job]:
        return list(Job.objects.filter(workspace=self.workspace, status__in=LIVE).order_by("created_at"))

    def pick(self, number: int) -> Job:
        found = self.live()
        return found[number % len(found)]

    # --- Edits -------------------------------------------------------------------------------

    @rule(who=st.integers(0, 2), quoted=st.booleans(), crash=st.booleans())
    def submit(self, who: int, quoted: bool, crash: bool) -> None:
        actor = reread(self.actors[who])
        request = NewEdit(prompt="a quiet harbour", model=MODEL)
        choice = pricing.choose(workspace=self.workspace, model=MODEL)
        expected = choice.credits
        if quoted:
            quote = Quote.objects.filter(user=actor.user, expires_at__gt=timezone.now()).first()
            if quote:
                request, expected = replace(request, quote_id=quote.pk), min(expected, quote.price)
        over = [limit for limit in limits.of(actor) if expected > limit.allowed - limit.used]
        balance = CreditAccount.objects.get(workspace=self.workspace).balance
        try:
            with transaction.atomic():
                job = jobs.submit(actor=actor, request=request)
                if crash:
                    raise RuntimeError
        except RuntimeError:
            return
        except OverLimit as error:
            assert error.limit in over
            assert error.more["remaining"] < expected
        except WorkspaceSuspended:
            assert actor.workspace.suspended_at
        except InsufficientCredits:
            assert balance < expected
        else:
            assert (over, job.price) == ([], expected)
            assert all(limit.used <= limit.allowed for limit in limits.of(actor))

    @precondition(lambda self: self.live())
    @rule(number=st.integers(0, 9), images=st.integers(0, 1))
    def complete(self, number: int, images: int) -> None:
        job = self.pick(number)
        price = job.price if job.reduced_price is None else job.reduced_price
        assert outcomes.end_completed(job=job, stored=[result()] * images, seed=None)
        assert job.charged == price * images <= job.price

    @precondition(lambda self: self.live())
    @rule(number=st.integers(0, 9))
    def fail(self, number: int) -> None:
        outcomes.end_failed(job=self.pick(number), code="unavailable", message="It is down.")

    @precondition(lambda self: self.live())
    @rule(number=st.integers(0, 9))
    def cancel(self, number: int) -> None:
        jobs.cancel(actor=self.actors[0], job=self.pick(number))

    @precondition(lambda self: self.live())
    @rule(number=st.integers(0, 9))
    def fail_over(self, number: int) -> None:
        job = self.pick(number)
        if failover.go_on(job=job, error=REFUSED):
            assert job.reduced_price is not None
            assert job.reduced_price <= job.price

    # --- Prices and quotes -------------------------------------------------------------------

    @rule(surcharge=st.integers(0, 4))
    def change_price(self, surcharge: int) -> None:
        self.surcharge = surcharge

    @rule(who=st.integers(0, 1))
    def quote(self, who: int) -> None:
        choice = pricing.choose(workspace=self.workspace, model=MODEL)
        assert quotes.create(actor=self.actors[who], choice=choice, inputs={}).price == choice.credits

    @rule()
    def expire_quotes(self) -> None:
        Quote.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        quote = Quote.objects.filter(user=self.actors[2].user).first()
        if quote:
            request = NewEdit(prompt="a quiet harbour", model=MODEL, quote_id=quote.pk)
            with pytest.raises((QuoteExpired, WorkspaceSuspended)), transaction.atomic():
                jobs.submit(actor=reread(self.actors[2]), request=request)

    # --- Limits and credits ------------------------------------------------------------------

    @rule(monthly=CAPS, daily=CAPS)
    def limit_member(self, monthly: int | None, daily: int | None) -> None:
        membership = self.actors[1].membership
        members.change(actor=self.actors[0], membership=membership, monthly_cap=monthly, daily_cap=daily)

    @rule(monthly=CAPS, daily=CAPS)
    def limit_key(self, monthly: int | None, daily: int | None) -> None:
        member = reread(self.actors[1])
        key = member.workspace.api_keys.select_related("created_by").get()
        api_keys.set_caps(actor=member, key=key, monthly_cap=monthly, daily_cap=daily)

    @rule(monthly=CAPS, daily=CAPS, zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/New_York"]))
    def limit_workspace(self, monthly: int | None, daily: int | None, zone: str) -> None:
        workspace_settings.set_limits(
            actor=self.actors[0],
            monthly_limit=monthly,
            daily_limit=daily,
            approval_threshold=None,
            time_zone=zone,
        )

    @rule(suspended=st.booleans())
    def suspend(self, suspended: bool) -> None:
        Workspace.objects.update(suspended_at=timezone.now() if suspended else None)

    @rule(amount=st.integers(-20, 20).filter(bool))
    def correct(self, amount: int) -> None:
        with suppress(EditorError):
            credits.adjust(workspace=self.workspace, amount=amount, actor=None, note="")

    @rule(hours=st.sampled_from([1, 13, 24 * 20]))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # --- What always holds -------------------------------------------------------------------

    @invariant()
    def everything_adds_up(self) -> None:
        self.workspace.refresh_from_db()
        assert_counted([reread(actor) for actor in self.actors])


def test_any_interleaving_keeps_every_counter_equal_to_the_entries() -> None:
    run_state_machine_as_test(Spending, settings=settings(max_examples=20, stateful_step_count=20))


# --- Two connections ---------------------------------------------------------------------


def acts(seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    return (draw.choice(["submit", "submit", "complete", "fail", "cancel", "limit"]) for _ in range(12))


def act(kind: str, actors: list[Actor], draw: random.Random) -> None:
    actor = reread(draw.choice(actors))
    if kind == "submit":
        jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour", tier="standard"))
    if kind == "limit":
        members.change(actor=actors[0], membership=actors[1].membership, daily_cap=draw.randint(0, 40))
    found = Job.objects.filter(workspace=actor.workspace, status__in=LIVE).order_by("?").first()
    if found and kind == "complete":
        outcomes.end_completed(job=found, stored=[result()], seed=None)
    if found and kind == "fail":
        outcomes.end_failed(job=found, code="unavailable", message="It is down.")
    if found and kind == "cancel":
        jobs.cancel(actor=actors[0], job=found)


@pytest.mark.parametrize("seed", range(6))
def test_two_connections_at_once_keep_every_counter_equal_to_the_entries(committed: None, seed: int) -> None:
    workspace = make_workspace(balance=60)
    actors = actors_of(workspace)

    def work(number: int) -> None:
        draw = random.Random(10 * seed + number)
        try:
            for kind in acts(10 * seed + number):
                with suppress(EditorError):
                    act(kind, actors, draw)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert_counted([reread(actor) for actor in actors])
    assert not Job.objects.filter(status=Status.COMPLETED, charged=0).exists()


def test_a_limit_for_seven_lets_seven_of_forty_simultaneous_edits_run(committed: None) -> None:
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
        outcomes_of_all = list(threads.map(attempt, range(40)))
    assert sorted(outcomes_of_all) == [3] * 33 + [4] * 7
    [limit] = assert_counted([reread(member)])
    assert (limit.used, limit.remaining) == (28, 3)
