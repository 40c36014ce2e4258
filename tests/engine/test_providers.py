"""Jobs at emulators of real providers over HTTP: keys, failover, limits, wake-ups, and cost of failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution, poll_schedule, submission, wakeups
from editor.media import store
from editor.models import CreditAccount, Image, Job, Status
from editor.net import policy
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault, Step
from tests.factories import make_actor, make_image, make_provider_key
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")

KONTEXT = "black-forest-labs/flux-kontext-pro"
HOUR = 3600.0


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    policy.allow(["127.0.0.0/8"])
    yield
    policy.allow([])


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FAILED_PAUSES", (0.05, 0.05))
    monkeypatch.setattr(submission, "BUSY_PAUSE", 0.05)


@pytest.fixture
def bfl(settings: Settings) -> Iterator[Bfl]:
    with Bfl() as emulator:
        settings.PROVIDERS = {**settings.PROVIDERS, "bfl": account(emulator)}
        yield emulator


@pytest.fixture
def fal(settings: Settings) -> Iterator[Fal]:
    with Fal() as emulator:
        settings.PROVIDERS = {**settings.PROVIDERS, "fal": account(emulator)}
        yield emulator


def account(emulator: Bfl | Fal, key: str | None = None) -> dict[str, str]:
    return {"base_url": emulator.url, "key": emulator.key if key is None else key, "secret": ""}


def submit(*, balance: int = 20, actor: Actor | None = None, **fields: Any) -> tuple[Actor, Job]:
    actor = actor or make_actor(balance=balance)
    return actor, jobs.submit(
        actor=actor, request=NewEdit(**{"prompt": "a quiet harbour", "model": KONTEXT, **fields})
    )


def run(*many: Job) -> Job:
    async def all_of_them() -> None:
        try:
            await asyncio.gather(*(execution.run(job.id) for job in many))
        finally:
            await http.close()

    asyncio.run(all_of_them())
    many[0].refresh_from_db()
    return many[0]


def totals(actor: Actor) -> tuple[int, int]:
    row = CreditAccount.objects.get(workspace=actor.workspace)
    return row.balance, row.held


def notes(job: Job) -> str:
    return "\n".join(job.events.exclude(note="").values_list("note", flat=True))


def test_an_edit_runs_on_the_portals_key_and_costs_credits(bfl: Bfl) -> None:
    actor = make_actor(balance=20)
    image = make_image(actor)
    job = run(submit(actor=actor, image_ids=(image.id,))[1])
    assert (job.status, job.provider, job.charged) == (Status.COMPLETED, "bfl", 4)
    assert totals(actor) == (16, 0)
    assert len(bfl.tasks) == 1
    assert job.provider_cost == round(Decimal(bfl.tasks[0].cost) / 100, 6)
    assert store.read(Image.objects.get(kind="result").storage_name)


def test_an_edit_on_the_workspaces_own_key_costs_nothing(bfl: Bfl, settings: Settings) -> None:
    settings.PROVIDERS = {**settings.PROVIDERS, "bfl": account(bfl, key="")}
    actor = make_actor(balance=0)
    make_provider_key(workspace=actor.workspace, provider="bfl", key=bfl.key)
    job = run(submit(actor=actor, provider="bfl")[1])
    assert (job.status, job.own_key, job.price, job.charged) == (Status.COMPLETED, True, 0, 0)
    assert len(bfl.tasks) == 1


def test_removing_the_key_meanwhile_fails_the_job(bfl: Bfl) -> None:
    actor = make_actor()
    key = make_provider_key(workspace=actor.workspace, provider="bfl", key=bfl.key)
    _, job = submit(actor=actor, provider="bfl")
    key.delete()
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, "auth")
    assert bfl.tasks == []


def test_the_next_route_takes_an_edit_that_the_first_did_not(bfl: Bfl, fal: Fal) -> None:
    bfl.script.always[Step.SUBMIT] = Fault.OUT_OF_FUNDS
    actor, job = submit()
    run(job)
    assert (job.status, job.provider, job.tried_providers) == (Status.COMPLETED, "fal", ["bfl"])
    assert "From Black Forest Labs to fal. The provider account has no funds left." in notes(job)
    assert (len(bfl.tasks), len(fal.tasks)) == (0, 1)
    assert totals(actor) == (16, 0)


def test_a_busy_provider_is_retried_before_the_next_route(
    bfl: Bfl, fal: Fal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bfl.script.next_submit = [Fault.RATE_LIMITED, None]
    _, job = submit()
    assert run(job).provider == "bfl"
    assert "Black Forest Labs: The provider is busy." in notes(job)

    monkeypatch.setattr(submission, "BUSY_PATIENCE", 0.2)
    bfl.script.always[Step.SUBMIT] = Fault.RATE_LIMITED
    _, job = submit()
    assert run(job).provider == "fal"
    assert job.status == Status.COMPLETED


def test_the_retry_after_of_a_busy_provider_is_honored(bfl: Bfl) -> None:
    bfl.script.next_submit = [Fault.RATE_LIMITED_RETRY_AFTER, None]
    _, job = submit()
    began = time.monotonic()
    assert run(job).status == Status.COMPLETED
    assert time.monotonic() - began >= 1  # RETRY_AFTER
    assert len(bfl.tasks) == 1


def test_an_edit_with_unknown_outcome_is_never_sent_again(bfl: Bfl, fal: Fal) -> None:
    bfl.script.next_submit = [Fault.CUT]
    actor, job = submit()
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, "unknown_outcome")
    assert (len(bfl.tasks), len(fal.tasks)) == (1, 0)
    assert totals(actor) == (20, 0)


def test_a_refused_edit_is_not_sent_to_the_next_route(bfl: Bfl, fal: Fal) -> None:
    bfl.script.always[Step.SUBMIT] = Fault.WRONG_KEY
    actor, job = submit()
    run(job)
    assert (job.status, job.error_code, fal.tasks) == (Status.FAILED, "auth", [])
    assert totals(actor) == (20, 0)


def test_an_edit_on_an_own_key_never_uses_another_route(bfl: Bfl, fal: Fal) -> None:
    bfl.script.always[Step.SUBMIT] = Fault.OUT_OF_FUNDS
    actor = make_actor()
    make_provider_key(workspace=actor.workspace, provider="bfl", key=bfl.key)
    _, job = submit(actor=actor, provider="bfl")
    run(job)
    assert (job.status, job.error_code, fal.tasks) == (Status.FAILED, "insufficient_funds", [])


def test_a_failing_provider_without_alternative_is_retried(bfl: Bfl) -> None:
    bfl.script.next_submit = [Fault.SERVER_ERROR, Fault.SERVER_ERROR, None]
    _, job = submit()
    assert run(job).status == Status.COMPLETED
    assert len(bfl.tasks) == 1


def test_failed_polls_are_repeated(bfl: Bfl) -> None:
    bfl.script.next_poll = [Fault.BAD_GATEWAY, Fault.CUT, Fault.RATE_LIMITED_RETRY_AFTER, None]
    _, job = submit()
    assert run(job).status == Status.COMPLETED
    assert len(bfl.tasks) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.PROMPT_MODERATED, "moderated"),
        (Fault.RESULT_MODERATED, "moderated"),
        (Fault.FAILED, "unavailable"),
        (Fault.EMPTY_RESULT, "unavailable"),
        (Fault.NOT_AN_IMAGE, "unavailable"),
        (Fault.LINK_EXPIRED, "unavailable"),
        (Fault.HUGE, "unavailable"),
    ],
)
def test_a_task_without_a_result_costs_nothing(bfl: Bfl, fal: Fal, fault: Fault, code: str) -> None:
    bfl.script.next_submit = [fault]
    actor, job = submit()
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, code)
    assert totals(actor) == (20, 0)
    assert fal.tasks == [], "a task that was taken is nobody else's"
    assert Image.objects.filter(kind="result").count() == 0


def test_a_task_that_never_ends_times_out(bfl: Bfl) -> None:
    bfl.script.next_submit = [Fault.NEVER_FINISHES]
    actor, job = submit()
    Job.objects.filter(pk=job.pk).update(time_limit=1)
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, "timeout")
    assert totals(actor) == (20, 0)


def test_no_more_tasks_are_active_than_the_provider_allows(bfl: Bfl) -> None:
    """The emulator would refuse a seventh, which would cause one more request."""
    bfl.seconds = HOUR
    actor = make_actor(balance=1000)
    many = [submit(actor=actor, model="black-forest-labs/flux-kontext-max")[1] for _ in range(8)]
    most = registry.get("bfl").limits("flux-kontext-max")["flux-kontext-max"]

    async def run_and_let_them_end() -> None:
        running = asyncio.gather(*(execution.run(job.id) for job in many))
        await until(lambda: len(bfl.active()) == most)
        bfl.seconds = 0
        for task in bfl.tasks:
            task.seconds = 0
        await running
        await http.close()

    asyncio.run(run_and_let_them_end())
    submits = [call.status for call in bfl.calls if call.step is Step.SUBMIT]
    assert (most, submits) == (6, [200] * 8)
    assert Job.objects.filter(status=Status.COMPLETED).count() == 8


def test_a_wakeup_makes_the_next_poll_come_early(bfl: Bfl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get("bfl"), "shortest_wait", HOUR, raising=False)
    monkeypatch.setattr(poll_schedule, "LONGEST_WAIT", HOUR)
    _, job = submit()

    async def run_with_a_wakeup() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(lambda: bfl.tasks and not bfl.active())
        await until(lambda: job.id in wakeups._waiting)
        wakeups.wake(job.id)
        await asyncio.wait_for(running, PATIENCE)
        await http.close()

    asyncio.run(run_with_a_wakeup())
    job.refresh_from_db()
    assert job.status == Status.COMPLETED


def test_canceling_during_the_run_refunds_everything(bfl: Bfl) -> None:
    bfl.seconds = HOUR
    actor, job = submit()

    async def cancel_it() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(lambda: bfl.tasks)
        await in_thread(jobs.cancel, actor=actor, job=job)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await http.close()

    asyncio.run(cancel_it())
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert totals(actor) == (20, 0)
