"""The figures of the operator's pages: by hour and provider, over all workspaces."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from editor.contexts.operator import figures
from editor.contexts.operator.edits import edits_page
from editor.contexts.operator.health import provider_health
from editor.contexts.operator.overview import overview
from editor.contexts.operator.sparklines import sparkline
from editor.contexts.operator.workspaces import runs_out
from editor.models import Job, JobEvent, RouteSetting, Status
from editor.queries.operator import activity
from tests.factories import make_workspace
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


def ended(*, ago: timedelta = timedelta(), took: float = 8, provider: str = "bfl", **fields: Any) -> Job:
    """A completed edit that ended `ago` and took as many seconds from its submit."""
    at = timezone.now() - ago
    values: dict[str, Any] = {"status": Status.COMPLETED, "charged": 4, "provider": provider}
    times = {
        "finished_at": at,
        "submitting_at": at - timedelta(seconds=took),
        "started_at": at - timedelta(seconds=took),
    }
    job = add_job(make_workspace(), **values | times | fields)
    Job.objects.filter(pk=job.pk).update(created_at=at - timedelta(seconds=took + 5))
    return job


def failed(**fields: Any) -> Job:
    values: dict[str, Any] = {"charged": 0, "error_code": "timeout", "error": "Too late."}
    return ended(**{"status": Status.FAILED, **values, **fields})


def health(provider: str = "bfl") -> Any:
    now = timezone.now()
    found = provider_health(now=now, hours=activity.hours(now=now))
    return next(one for one in found if one.name == provider)


def test_edits_are_counted_by_hour_and_provider() -> None:
    ended(provider_cost=Decimal("0.04"))
    ended(own_key=True, charged=0, provider_cost=Decimal("9"))
    failed()
    failed(error_code="moderated")
    ended(provider="fal", ago=timedelta(hours=30))
    ended(provider="fal", ago=timedelta(hours=49))
    add_job(make_workspace(), status=Status.CANCELED, provider="bfl")
    hours = {hour.provider: hour for hour in activity.hours(now=timezone.now())}
    bfl = hours["bfl"]
    assert (bfl.completed, bfl.failed, bfl.blamed, bfl.charged) == (2, 2, 1, 4)
    assert (bfl.cost, bfl.with_cost, bfl.charged_with_cost, bfl.without_cost) == (Decimal("0.04"), 1, 4, 0)
    assert bfl.wait == timedelta(seconds=5)
    assert hours["fal"].completed == 1


def test_success_counts_what_is_the_providers_fault_and_what_it_did_not_accept() -> None:
    for _ in range(8):
        ended()
    failed()
    failed(error_code="invalid_input")
    ended(provider="fal", tried_providers=["bfl"])
    assert (health().success, health().edits, health().badge) == ("80.0 %", 10, ("bad", "Failing"))
    assert (health("fal").success, health("fal").badge) == ("100 %", ("active", "Healthy"))
    assert (health("openai").success, health("openai").badge) == ("–", ("idle", "No edits"))
    RouteSetting.objects.create(provider="bfl")
    assert health().badge == ("disabled", "Switched off")


def test_durations_are_those_of_completed_edits() -> None:
    for seconds in range(1, 101):
        ended(took=seconds)
    failed(took=9_000)
    half, most = activity.durations(now=timezone.now())["bfl"]
    assert half == timedelta(seconds=50.5)
    assert most == timedelta(seconds=95.05)


def test_the_last_error_is_the_newest_that_is_the_providers_fault() -> None:
    failed(ago=timedelta(hours=3), error="An hour ago.")
    newest = failed(ago=timedelta(hours=1), error="Just now.")
    failed(error_code="moderated", error="Not nice.")
    assert (health().last_error, health().last_error_at) == ("Just now.", newest.finished_at)
    assert health("fal").last_error_at is None


@pytest.mark.parametrize(("currency", "margin"), [("USD", "$0.12"), ("EUR", "")])
def test_the_margin_is_known_where_both_amounts_are_in_dollars(
    settings: Settings, currency: str, margin: str
) -> None:
    ended(provider_cost=Decimal("0.04"))
    ended()  # its cost is not known
    settings.CREDIT_PRICE, settings.CURRENCY = None, currency
    assert (health().cost, health().sold, health().margin) == ("$0.04", "4 credits", "")
    settings.CREDIT_PRICE = Decimal("0.04")
    assert health().margin == margin


def test_the_overview_shows_the_last_day_and_compares_it() -> None:
    for _ in range(3):
        ended(provider_cost=Decimal("0.5"))
    ended(ago=timedelta(hours=30))
    failed()
    add_job(make_workspace(), status=Status.PENDING)
    tiles = {tile.name: tile for tile in overview().tiles}
    assert (tiles["Queue"].value, tiles["Edits"].value) == ("1", "3")
    assert tiles["Edits"].note == "200 % more than the day before"
    assert (tiles["Success"].value, tiles["Success"].note) == ("75.0 %", "1 failed, all credits returned")
    assert (tiles["Paid to providers"].value, tiles["Paid to providers"].note) == (
        "$1.50",
        "sold for 12 credits",
    )


def test_the_queue_and_workers() -> None:
    oldest = add_job(make_workspace(), status=Status.PENDING)
    Job.objects.filter(pk=oldest.pk).update(created_at=timezone.now() - timedelta(hours=3))
    add_job(make_workspace(), status=Status.PROCESSING)
    assert edits_page(before=None).workers == "No worker is alive"
    for age in (-3600, -3600, -3600, 3600):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)",
                [timezone.now() - timedelta(seconds=age)],
            )
    page = edits_page(before=None)
    assert (page.waiting, page.running, page.oldest, page.workers) == (1, 1, "3 h", "1 worker alive")


def test_failures_come_with_their_steps_a_page_at_a_time() -> None:
    for minutes in range(activity.FAILURES + 1):
        job = failed(ago=timedelta(minutes=minutes), prompt="a secret prompt")
    JobEvent.objects.create(job=job, kind=JobEvent.Kind.ERROR, note="Too late.")
    page = edits_page(before=None)
    assert len(page.failures) == activity.FAILURES
    older = edits_page(before=datetime.fromisoformat(page.older))
    assert [one.id for one in older.failures] == [job.pk]
    assert [(step.what, step.note) for step in older.failures[0].steps] == [("Error", "Too late.")]
    assert "secret" not in str((page, older))


@pytest.mark.parametrize(
    ("balance", "spent", "sentence"),
    [
        (38, 1_950, "38 credits are left. At 65 a day they last less than a day."),
        (130, 1_950, "130 credits are left. At 65 a day they last 2 days."),
        (130, 0, ""),
    ],
)
def test_how_long_a_balance_lasts(balance: int, spent: int, sentence: str) -> None:
    assert runs_out(balance, spent) == sentence


def test_percentages_are_never_rounded_up_to_all() -> None:
    assert figures.percent(0.9999) == "99.9 %"
    assert (figures.percent(1), figures.percent(0), figures.percent(None)) == ("100 %", "0.0 %", "–")


def test_a_chart_stays_within_its_box() -> None:
    assert sparkline([0, 5, 10]).line == "0.0,31.0 110.0,17.0 220.0,3.0"
    assert sparkline([0, 0]).line == "0.0,31.0 220.0,31.0"
    assert sparkline([0.5], top=1).line == "0.0,17.0"
