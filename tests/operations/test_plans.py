"""Plans: there is always exactly one default."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction

from editor.errors import Conflict, InvalidInput
from editor.models import AuditEntry, Plan, User
from editor.operations import allowances, plans, workspaces
from tests.factories import PASSWORD
from tests.operations.months import Clock, balance, clock, make, moves, plan
from tests.operations.test_operator_acts import PLAN, last

__all__ = ["clock"]

pytestmark = pytest.mark.django_db


def test_a_new_default_replaces_the_previous_one() -> None:
    plans.save(plan=Plan(name="Large", is_default=True))
    assert Plan.objects.get(is_default=True).name == "Large"


def test_the_default_plan_cannot_be_unset() -> None:
    plan = Plan.objects.get(is_default=True)
    plan.is_default = False
    with pytest.raises(Conflict, match="another plan"):
        plans.save(plan=plan)
    plan.refresh_from_db()
    assert plan.is_default


def test_saving_other_plans_or_fields_keeps_the_default() -> None:
    default = Plan.objects.get(is_default=True)
    default.concurrent_jobs = 7
    plans.save(plan=default)
    plans.save(plan=Plan(name="Small", concurrent_jobs=1))
    found = Plan.objects.order_by("pk").values_list("name", "concurrent_jobs", "is_default")
    assert list(found) == [("Standard", 7, True), ("Small", 1, False)]


@pytest.mark.parametrize("remove", [False, True])
def test_the_database_refuses_to_be_without_a_default_plan(remove: bool) -> None:
    default = Plan.objects.filter(is_default=True)
    with pytest.raises(IntegrityError, match="must be the default"), transaction.atomic():
        if remove:
            default.delete()
        else:
            default.update(is_default=False)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_migration_restores_a_missing_default() -> None:
    migration = import_module("editor.migrations.0018_default_plan_stays")
    Plan.objects.create(name="Small")
    with connection.cursor() as cursor:
        cursor.execute(migration.LET_GO)
        Plan.objects.update(is_default=False)
        cursor.execute(migration.KEEP)
    assert Plan.objects.get(is_default=True).name == "Standard"


# --- Changed by an operator --------------------------------------------------------------


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD, name="Ada")


def test_a_plan_is_created_and_changed(operator: User) -> None:
    plan = plans.change(actor=operator, plan=Plan(), values=PLAN)
    assert last("plan.created") == ("operator", None, PLAN | {"rollover": "up to a number of them stay"})
    plans.change(actor=operator, plan=plan, values=PLAN | {"monthly_credits": 3_000})
    assert last("plan.changed") == ("operator", {"monthly_credits": 2_000}, {"monthly_credits": 3_000})
    plans.change(actor=operator, plan=plan, values=PLAN | {"monthly_credits": 3_000})
    assert AuditEntry.objects.filter(action__startswith="plan.").count() == 2


def test_a_plan_with_wrong_values_is_refused_at_their_fields(operator: User) -> None:
    plans.change(actor=operator, plan=Plan(), values=PLAN)
    with pytest.raises(InvalidInput) as caught:
        plans.change(actor=operator, plan=Plan(), values=PLAN)
    assert set(caught.value.fields) == {"name"}
    with pytest.raises(Conflict):
        plans.change(
            actor=operator, plan=Plan.objects.get(is_default=True), values={"is_default": False, "name": "S"}
        )
    assert Plan.objects.filter(is_default=True).count() == 1


def test_how_many_credits_stay_must_be_said(operator: User) -> None:
    with pytest.raises(InvalidInput) as caught:
        plans.change(actor=operator, plan=Plan(), values=PLAN | {"rollover_limit": 0})
    assert caught.value.fields == {"rollover_limit": "Enter how many credits stay."}
    plans.change(actor=operator, plan=Plan(), values=PLAN | {"rollover_limit": 0, "rollover": "none"})


def test_another_plan_gives_the_months_credits_at_once_and_once_a_month(operator: User, clock: Clock) -> None:
    none, team, large = plan(0), plan(100), plan(1_000)
    workspace = make(none, balance=20)
    for other in (team, team, none, large, team):
        workspaces.set_plan(actor=operator, workspace=workspace, plan=other)
        assert (moves(workspace), balance(workspace)) == ([("allowance", 100)], 120)
    assert allowances.renew_due() == 0
    clock.at(12)
    workspaces.set_plan(actor=operator, workspace=workspace, plan=large)
    assert allowances.renew_due() == 0
    assert moves(workspace)[1:] == [("expire", -100), ("allowance", 1_000)]
    changes = AuditEntry.objects.filter(action="workspace.plan_changed").order_by("pk")
    names = [none.name, team.name, none.name, large.name, team.name, large.name]
    expected = [({"plan": old}, {"plan": new}) for old, new in pairwise(names)]
    assert [(one.before, one.after) for one in changes] == expected
