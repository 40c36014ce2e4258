"""Plans: there is always exactly one default."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from editor.errors import Conflict
from editor.models import Plan
from editor.operations import plans

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
