"""Every fault of every provider through the engine: how the edit ends, its requests, and its cost."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import pytest
from django.db.models import Sum
from pytest_django import Settings

from editor.access.actor import Actor
from editor.engine import poll_schedule, polling, submission
from editor.media import store
from editor.models import CreditAccount, Image, Job, LedgerEntry, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from editor.providers.kie import answers as kie_answers
from editor.providers.wiro import adapter as wiro_adapter
from tests.emulators.base import Emulator
from tests.emulators.faults import Fault, Step
from tests.engine import emulator_stack
from tests.engine.emulator_stack import BALANCE, MODELS, PROMPT, change, reach, run, submit_alone
from tests.engine.fault_rows import (
    ALL,
    COMPLETED,
    IMMEDIATE,
    NEVER_TOOK_IT,
    NO_LINK,
    POLLED,
    ROWS,
    TOO_LATE,
    Ending,
    Row,
)
from tests.factories import make_actor
from tests.patience import until

pytestmark = pytest.mark.usefixtures("committed")

HOUR = 3600


@pytest.fixture
def emulators() -> Iterator[dict[str, Emulator]]:
    with emulator_stack.running() as emulators:
        yield emulators


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of BUSY: 0.05, 0.05 and 0.1 s, or at kie three times 0.1 s; one more would exceed the limit."""
    monkeypatch.setattr(submission, "BUSY_PAUSE", 0.05)
    monkeypatch.setattr(submission, "BUSY_PATIENCE", 0.35)
    monkeypatch.setattr(submission, "FAILED_PAUSES", (0.05, 0.05))
    monkeypatch.setattr(poll_schedule, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(polling, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(http, "DOWNLOAD_PAUSES", (0.05, 0.05))
    monkeypatch.setattr(http, "ANSWER_BYTES", 4 * 1024**2)
    monkeypatch.setattr(wiro_adapter, "CANCEL_PAUSES", (0.05, 0.05))
    monkeypatch.setattr(kie_answers, "RATE_LIMIT_PAUSE", 0.05)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_edit_with_a_fault_ends_as_expected(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, emulators: dict[str, Emulator], row: Row
) -> None:
    if row.patience is not None:
        time_out_after(row.patience, row.step, monkeypatch)
    if row.pause:
        monkeypatch.setattr(submission, "BUSY_PATIENCE", row.pause + 0.5)
    edits = {}
    for name in row.at:
        edits[name] = submit_alone(settings, emulators, name, picture=row.picture)
        if row.time_limit:
            change(edits[name][1], time_limit=row.time_limit)
        if row.times is None:
            emulators[name].script.always[row.step] = row.fault
        else:
            emulators[name].script.coming(row.step).extend([row.fault] * row.times)
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, {name: row.but.get(name, row.end) for name in row.at})
    for name in row.at:
        times = [call.at for call in emulators[name].calls if call.step is row.step]
        assert emulators[name].script.coming(row.step) == [], "the fault did not come"
        assert row.requested in (None, len(times)), name
        assert not row.pause or times[1] - times[0] >= row.pause, name


def test_a_provider_that_is_down_is_retried_and_then_abandoned(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    edits = {name: submit_alone(settings, emulators, name) for name in ALL}
    for emulator in emulators.values():
        emulator.stop()
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, dict.fromkeys(ALL, NEVER_TOOK_IT._replace(submits=0)))
    for _, job in edits.values():
        assert sum("The provider failed to process this edit" in note for note in notes(job)) == 4, (
            "3 tries, 1 end"
        )


def test_a_provider_that_goes_down_during_a_task_is_polled_until_it_is_back(
    settings: Settings, emulators: dict[str, Emulator], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "editor.jobs")
    edits = {name: submit_alone(settings, emulators, name) for name in POLLED}

    async def stop_and_start() -> None:
        for name in POLLED:
            await until(lambda name=name: emulators[name].tasks and emulators[name].tasks[0].polls)  # type: ignore[misc]
            emulators[name].stop()
            await until(lambda name=name: f"{name} did not answer" in caplog.text)  # type: ignore[misc]
        for name in POLLED:
            emulators[name].tasks[0].seconds = 0
            emulators[name].start()

    for name in POLLED:
        emulators[name].seconds = HOUR
    run(*(job for _, job in edits.values()), beside=stop_and_start)
    assert_ended(edits, emulators, dict.fromkeys(POLLED, COMPLETED))


def test_a_task_that_never_ends_is_canceled_at_providers_that_support_it(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    edits = {name: submit_alone(settings, emulators, name) for name in POLLED}
    for name, (_, job) in edits.items():
        emulators[name].script.next_submit = [Fault.NEVER_FINISHES]
        change(job, time_limit=1)
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, dict.fromkeys(POLLED, TOO_LATE))
    stopped = {name for name in POLLED if emulators[name].tasks[0].cancelled_at}
    assert stopped == {"wiro", "fal"}


def test_a_result_that_arrives_just_after_the_time_limit_is_kept(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    """It is paid for and cannot be fetched again."""
    edits = {name: submit_alone(settings, emulators, name) for name in IMMEDIATE}
    for name, (_, job) in edits.items():
        emulators[name].seconds = 1.5
        change(job, time_limit=1)
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, dict.fromkeys(IMMEDIATE, COMPLETED))


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_clock_differences_do_no_harm(
    settings: Settings, emulators: dict[str, Emulator], ahead: float
) -> None:
    """Neither signed requests nor signed links depend on the portal's clock."""
    for emulator in emulators.values():
        emulator.ahead = ahead
    edits = {name: submit_alone(settings, emulators, name) for name in ALL}
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, dict.fromkeys(ALL, COMPLETED))


def test_a_link_that_expired_by_the_providers_clock_is_reported_as_expired(
    settings: Settings, emulators: dict[str, Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first download fails, and the provider's clock jumps by more than the lifetime of its links."""
    lasting = {"bfl": HOUR / 6, "fal": 24 * HOUR, "kie": 14 * 24 * HOUR}
    edits = {name: submit_alone(settings, emulators, name) for name in lasting}

    for name, seconds in lasting.items():
        emulators[name].script.next_download = [Fault.BAD_GATEWAY]
        advance_the_clock_at_a_fault(emulators[name], seconds + 1, monkeypatch)
    run(*(job for _, job in edits.values()))
    assert_ended(edits, emulators, dict.fromkeys(lasting, NO_LINK))


def test_an_edit_moves_to_the_next_route_until_one_accepts_it(
    settings: Settings, emulators: dict[str, Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of funds, busy, down: the fourth accepts it. If it refuses too, the edit fails."""
    emulators["bfl"].script.always[Step.SUBMIT] = Fault.OUT_OF_FUNDS
    emulators["wiro"].script.always[Step.SUBMIT] = Fault.RATE_LIMITED
    emulators["fal"].stop()
    reach(settings, emulators, keyed=POLLED)
    request = NewEdit(prompt=PROMPT, model=MODELS["bfl"])
    actor = make_actor(balance=BALANCE)
    job = jobs.submit(actor=actor, request=request)
    run(job)
    assert (job.status, job.provider, job.tried_providers) == ("completed", "kie", ["bfl", "wiro", "fal"])
    assert [len(emulators[name].tasks) for name in POLLED] == [0, 0, 0, 1]
    assert ledger(actor) == (BALANCE - job.price, 0)
    moves = [note for note in notes(job) if note.startswith("From ")]
    assert [move.partition(".")[0] for move in moves] == [
        "From Black Forest Labs to Wiro",
        "From Wiro to fal",
        "From fal to kie",
    ]

    emulators["kie"].script.always[Step.SUBMIT] = Fault.SERVER_ERROR
    job = jobs.submit(actor=actor, request=request)
    run(job)
    assert (job.status, job.error_code, job.provider) == (Status.FAILED, "unavailable", "kie")
    assert ledger(actor) == (BALANCE - job.price, 0), "the second edit cost nothing"


def advance_the_clock_at_a_fault(emulator: Emulator, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    take = emulator.script.take

    def taking(step: Step) -> Fault | None:
        fault = take(step)
        emulator.ahead += seconds if fault else 0
        return fault

    monkeypatch.setattr(emulator.script, "take", taking)


def time_out_after(seconds: float, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use adapters with this timeout for this step and the usual ones for others."""
    limit = {"submit_seconds" if step is Step.SUBMIT else "ask_seconds": seconds}
    quick = {
        name: type(provider)(**limit) for name, provider in registry.providers().items() if provider.needs_key
    }
    monkeypatch.setattr(registry, "providers", lambda: quick)


def assert_ended(
    edits: Mapping[str, tuple[Actor, Job]], emulators: Mapping[str, Emulator], ends: Mapping[str, Ending]
) -> None:
    """Each job has its expected ending, and its credits are correct."""
    found = {name: ending(job, emulators[name], ends[name].message) for name, (_, job) in edits.items()}
    assert found == ends
    for name, (actor, job) in edits.items():
        spent = job.price if job.status == Status.COMPLETED else 0
        assert job.price > 0
        assert ledger(actor) == (BALANCE - spent, 0), name
        results = [store.read(image.storage_name) for image in Image.objects.filter(job=job)]
        made = emulators[name].tasks[-1].pictures[:1] if spent else []
        assert results == [picture.content for picture in made], name


def ending(job: Job, emulator: Emulator, message: str) -> Ending:
    """The job's ending, with `message` if its error contains it, otherwise with the whole error."""
    reported = message if message in job.error and bool(message) == bool(job.error) else job.error
    return Ending(job.error_code or job.status, count(emulator, Step.SUBMIT), len(emulator.tasks), reported)


def count(emulator: Emulator, step: Step) -> int:
    return sum(call.step is step for call in emulator.calls)


def notes(job: Job) -> list[str]:
    return [note for note in job.events.values_list("note", flat=True) if note]


def ledger(actor: Actor) -> tuple[int, int]:
    """Balance and held credits by the account, which must equal the sums of its entries."""
    account = CreditAccount.objects.get(workspace=actor.workspace)
    entries = LedgerEntry.objects.filter(account=account)
    sums = entries.aggregate(balance=Sum("amount"), held=Sum("held_amount"))
    assert sums == {"balance": account.balance, "held": account.held}
    return account.balance, account.held
