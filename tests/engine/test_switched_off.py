"""Edits whose model or route an operator switches off after they were submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.errors import Unprocessable
from editor.gateway import outcome
from editor.models import CreditAccount, Job, ModelSetting, RouteSetting, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from editor.queries.operator import activity
from tests.emulators.base import Emulator
from tests.engine import emulator_stack
from tests.engine.emulator_stack import KONTEXT, run
from tests.factories import make_actor, make_provider_key
from tests.patience import until

pytestmark = pytest.mark.usefixtures("committed")

MAX = "black-forest-labs/flux-kontext-max"
HOUR = 3600.0


@pytest.fixture
def emulators() -> Iterator[dict[str, Emulator]]:
    with emulator_stack.running() as all_of_them:
        yield all_of_them


def keyed(settings: Settings, emulators: Mapping[str, Emulator], *providers: str) -> None:
    emulator_stack.reach(settings, emulators, keyed=providers)


def submit(actor: Actor, **fields: Any) -> Job:
    return jobs.submit(actor=actor, request=NewEdit(**{"prompt": "a harbour", "model": KONTEXT} | fields))


def ended(job: Job) -> Job:
    run(job)
    job.refresh_from_db()
    return job


def totals(actor: Actor) -> tuple[int, int]:
    row = CreditAccount.objects.get(workspace=actor.workspace)
    return row.balance, row.held


@pytest.mark.parametrize("model", ["", KONTEXT], ids=["all models", "this model"])
def test_a_queued_edit_goes_on_to_the_next_route(
    settings: Settings, emulators: dict[str, Emulator], model: str
) -> None:
    keyed(settings, emulators, "bfl", "fal")
    actor = make_actor(balance=20)
    job = submit(actor)
    RouteSetting.objects.create(provider="bfl", model=model, reason="It fails")
    assert (ended(job).status, job.provider, job.charged) == (Status.COMPLETED, "fal", 4)
    notes = "\n".join(job.events.values_list("note", flat=True))
    assert "From Black Forest Labs to fal. An operator has switched off Black Forest Labs." in notes
    assert (len(emulators["bfl"].calls), len(emulators["fal"].tasks)) == (0, 1)
    assert totals(actor) == (16, 0)
    # The provider did nothing wrong.
    assert (job.tried_providers, activity.refusals(now=timezone.now())) == ([], {})


def test_a_queued_edit_goes_to_no_route_that_costs_more(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    ModelSetting.objects.create(model=KONTEXT, credits=2)
    keyed(settings, emulators, "bfl", "fal")
    actor = make_actor(balance=20)
    job = submit(actor)
    ModelSetting.objects.all().delete()
    RouteSetting.objects.create(provider="bfl")
    assert (ended(job).status, job.error_code, job.charged) == (Status.FAILED, "not_offered", 0)
    assert emulators["fal"].calls == []
    assert totals(actor) == (20, 0)


def test_a_queued_edit_without_another_route_ends_and_costs_nothing(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    keyed(settings, emulators, "bfl", "fal")
    actor = make_actor(balance=20)
    job = submit(actor)
    RouteSetting.objects.create(provider="bfl")
    RouteSetting.objects.create(provider="fal", model=KONTEXT)
    assert (ended(job).status, job.error_code) == (Status.FAILED, "not_offered")
    assert job.error == (
        "An operator has switched off Black Forest Labs for FLUX.1 Kontext [pro], and no other provider can "
        "run this edit at its price. Try again, or choose another model."
    )
    assert emulators["bfl"].calls == emulators["fal"].calls == []
    assert totals(actor) == (20, 0)
    error = outcome.failure(job)
    assert isinstance(error, Unprocessable)
    assert (error.code, error.status) == ("not_offered", 422)
    assert error.message.endswith(" Nothing was charged.")
    [hour] = activity.hours(now=timezone.now())
    assert (hour.failed, hour.blamed) == (1, 0)


@pytest.mark.parametrize("own_key", [False, True])
@pytest.mark.parametrize("change", [{"enabled": False}, {"retires_on": timezone.now().date()}])
def test_a_queued_edit_of_a_model_that_is_not_offered_any_more_ends(
    settings: Settings, emulators: dict[str, Emulator], change: dict[str, Any], own_key: bool
) -> None:
    actor = make_actor(balance=20)
    keyed(settings, emulators, *([] if own_key else ["bfl", "fal"]))
    if own_key:
        make_provider_key(workspace=actor.workspace, provider="bfl", key=emulators["bfl"].key)
    job = submit(actor, **({"provider": "bfl"} if own_key else {}))
    ModelSetting.objects.create(model=KONTEXT, **change)
    assert (ended(job).status, job.error_code) == (Status.FAILED, "not_offered")
    assert job.error == "FLUX.1 Kontext [pro] is not offered any more. Choose another model."
    assert emulators["bfl"].calls == emulators["fal"].calls == []
    assert totals(actor) == (20, 0)


def test_an_edit_on_an_own_key_stays_where_it_is(settings: Settings, emulators: dict[str, Emulator]) -> None:
    keyed(settings, emulators, "fal")
    actor = make_actor(balance=20)
    make_provider_key(workspace=actor.workspace, provider="bfl", key=emulators["bfl"].key)
    job = submit(actor, provider="bfl")
    RouteSetting.objects.create(provider="bfl")
    assert (ended(job).status, job.provider) == (Status.COMPLETED, "bfl")


def test_edits_that_were_sent_go_on_and_those_that_wait_for_a_slot_move(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    bfl, fal = emulators["bfl"], emulators["fal"]
    keyed(settings, emulators, "bfl", "fal")
    bfl.seconds = HOUR
    actor = make_actor(balance=100)
    most = registry.get("bfl").limits("flux-kontext-max")["flux-kontext-max"]
    many = [submit(actor, model=MAX) for _ in range(most + 2)]

    async def switch_off_while_two_wait() -> None:
        running = asyncio.gather(*(execution.run(job.id) for job in many))
        await until(lambda: len(bfl.active()) == most)
        await in_thread(RouteSetting.objects.create, provider="bfl")
        for task in bfl.tasks:
            task.seconds = 0
        await running
        await http.close()

    asyncio.run(switch_off_while_two_wait())
    assert Job.objects.filter(status=Status.COMPLETED, provider="bfl").count() == most
    assert Job.objects.filter(status=Status.COMPLETED, provider="fal").count() == 2
    assert (len(bfl.tasks), len(fal.tasks)) == (most, 2)
    assert totals(actor) == (100 - 8 * (most + 2), 0)


def test_a_result_that_was_ready_before_the_switch_is_fetched(
    settings: Settings, emulators: dict[str, Emulator]
) -> None:
    """Its worker was stopped: the next one finds the task, whatever is switched off by then."""
    bfl = emulators["bfl"]
    keyed(settings, emulators, "bfl", "fal")
    bfl.seconds = HOUR
    job = submit(make_actor(balance=20))

    async def stop_after_the_submit() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(lambda: bfl.tasks)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await http.close()

    asyncio.run(stop_after_the_submit())
    bfl.tasks[0].seconds = 0
    RouteSetting.objects.create(provider="bfl")
    ModelSetting.objects.create(model=KONTEXT, retires_on=timezone.now().date() - timedelta(days=1))
    assert (ended(job).status, job.provider, job.charged) == (Status.COMPLETED, "bfl", 4)
    assert len(bfl.tasks) == 1
