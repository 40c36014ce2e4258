"""Figures by day, week and month, and what will probably be spent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from editor.models import Status, Workspace
from editor.operations import api_keys, people
from editor.queries import limits, usage
from editor.queries.usage import Dimension, Figures, Span, Unit
from tests.factories import make_actor, make_member, make_workspace
from tests.spending import end, spend, start

FRIDAY = date(2026, 11, 27)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=1000)


@pytest.mark.django_db
def test_figures_are_added_up_by_day_and_group(workspace: Workspace) -> None:
    owner, mei = workspace.members.get(), make_member(workspace)
    spend(workspace, owner, on=FRIDAY)
    spend(workspace, mei, on=FRIDAY, model="black-forest-labs/flux-2-pro", price=5)
    end(start(workspace, mei, spent_on=FRIDAY), Status.FAILED)
    spend(workspace, mei, on=FRIDAY + timedelta(days=1))
    spend(make_workspace(name="Rivals"), mei, on=FRIDAY)
    span = Span(workspace, FRIDAY, FRIDAY)
    assert [(row.group, row.figures) for row in usage.by(span, Dimension.MODEL)] == [
        ("black-forest-labs/flux-2-pro", Figures(1, 0, 5, 0)),
        ("black-forest-labs/flux-kontext-pro", Figures(1, 1, 4, 4)),
    ]
    assert usage.total(span) == Figures(2, 1, 9, 4)
    assert usage.total(Span(workspace, FRIDAY, FRIDAY, user=mei.pk)) == Figures(1, 1, 5, 4)
    days = usage.by(Span(workspace, FRIDAY, FRIDAY + timedelta(days=1)), Dimension.CHANNEL)
    assert [(row.start, row.group, row.figures.credits) for row in days] == [
        (FRIDAY, "web", 9),
        (FRIDAY + timedelta(days=1), "web", 4),
    ]


@pytest.mark.django_db
def test_an_edit_of_somebody_who_was_deleted_is_counted_once(workspace: Workspace) -> None:
    """Usage of deleted people has nobody's name any more, so that rows of several are alike."""
    gone = [make_member(workspace) for _ in range(2)]
    for user in gone:
        spend(workspace, user, on=FRIDAY)
    running = start(workspace, gone[0], spent_on=FRIDAY)
    for user in gone:
        people.remove(user=user, actor=None)
    running.refresh_from_db()
    end(running)
    assert usage.total(Span(workspace, FRIDAY, FRIDAY)) == Figures(3, 0, 12, 0)


@pytest.mark.django_db
def test_weeks_start_on_monday_and_months_on_the_first(workspace: Workspace) -> None:
    owner = workspace.members.get()
    for day in (date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 29), date(2026, 12, 1)):
        spend(workspace, owner, on=day)
    span = Span(workspace, date(2026, 11, 1), date(2026, 12, 31))
    weeks = usage.by(span, Dimension.PROVIDER, Unit.WEEK)
    assert [(row.start, row.figures.credits) for row in weeks] == [
        (date(2026, 11, 16), 4),
        (date(2026, 11, 23), 8),
        (date(2026, 11, 30), 4),
    ]
    months = usage.by(span, Dimension.PROVIDER, Unit.MONTH)
    assert [(row.start, row.figures.credits) for row in months] == [
        (date(2026, 11, 1), 12),
        (date(2026, 12, 1), 4),
    ]


@pytest.mark.django_db
def test_groups_have_names_also_when_they_are_gone(workspace: Workspace) -> None:
    actor = make_actor(workspace)
    key, _ = api_keys.create(actor=actor, name="n8n")
    names = usage.labels(Dimension.KEY, [str(key.pk), "", "7e0a5a2e-0000-4000-8000-000000000000"])
    assert list(names.values()) == ["n8n", "Without a key", "Deleted key"]
    assert usage.labels(Dimension.MEMBER, [str(actor.user.pk), ""])[""] == "Former member"
    assert usage.labels(Dimension.MODEL, ["no/such"]) == {"no/such": "no/such"}
    assert usage.labels(Dimension.CHANNEL, ["api", "fax"]) == {"api": "API", "fax": "fax"}
    assert usage.labels(Dimension.PROVIDER, ["gone"]) == {"gone": "gone"}


def test_a_day_is_expected_to_be_like_the_same_day_of_the_last_four_weeks() -> None:
    spent = {FRIDAY - timedelta(days=number): 0 for number in range(1, 29)}
    for week, credits in enumerate((8, 4, 0, 4)):
        spent[FRIDAY - timedelta(days=6 + 7 * week)] = credits  # Saturdays
    expected = usage.forecast(spent, today=FRIDAY, until=date(2026, 11, 30))
    assert expected == {date(2026, 11, 28): 4.0, date(2026, 11, 29): 0.0, date(2026, 11, 30): 0.0}


def test_a_new_workspace_is_averaged_from_its_first_day_on() -> None:
    monday = FRIDAY - timedelta(days=4)
    expected = usage.forecast({monday: 10}, today=FRIDAY, until=date(2026, 11, 30))
    assert expected[date(2026, 11, 30)] == 10.0
    assert usage.forecast({}, today=FRIDAY, until=FRIDAY + timedelta(days=1)) == {date(2026, 11, 28): 0.0}


@pytest.mark.django_db
def test_what_limits_count_and_the_report_are_the_same(workspace: Workspace) -> None:
    owner = workspace.members.get()
    workspace.monthly_limit = 100
    spend(workspace, owner)
    start(workspace, owner)
    today = limits.today(workspace)
    [limit] = limits.of_workspace(workspace)
    assert limit.used == usage.total(Span(workspace, today, today)).credits + 4
