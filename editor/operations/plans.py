"""Plans. New workspaces get the default one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from editor.access import operators
from editor.errors import Conflict, InvalidInput
from editor.models import Plan, Rollover, User
from editor.operations import audit


@transaction.atomic
def change(*, actor: User, plan: Plan, values: Mapping[str, Any]) -> Plan:
    """Store a new plan, or change one, for an operator.

    values  of its columns, by name

    Raises InvalidInput, and Conflict if no plan would be the default.
    """
    operators.require(actor)
    is_new = plan.pk is None
    row = plan if is_new else Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean(exclude=["is_default"])  # `save` ensures that there is one
    except ValidationError as error:
        problems = {field: " ".join(messages) for field, messages in error.message_dict.items()}
        raise InvalidInput(" ".join(problems.values()), fields=problems) from None
    if row.rollover == Rollover.UP_TO and not row.rollover_limit:
        problem = "Enter how many credits stay."
        raise InvalidInput(problem, fields={"rollover_limit": problem})
    save(plan=row)
    if is_new or before:
        audit.record(
            workspace=None,
            actor=actor,
            action="plan.created" if is_new else "plan.changed",
            target=row.name,
            before=None if is_new else _in_words(before),
            after=_in_words(values if is_new else {name: values[name] for name in before}),
        )
    return row


def _in_words(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Rollover(value).label.lower() if name == "rollover" else value for name, value in values.items()
    }


@transaction.atomic
def save(*, plan: Plan) -> None:
    """Store a new or changed plan. If it becomes the default, the previous one stops being it.

    Raises Conflict if none would be the default.
    """
    # One at a time, so that no two become the default.
    others = [row for row in Plan.objects.select_for_update(no_key=True).order_by("pk") if row.pk != plan.pk]
    if plan.is_default:
        Plan.objects.filter(pk__in=[row.pk for row in others]).update(is_default=False)
    elif not any(row.is_default for row in others):
        raise Conflict("New workspaces need a default plan. Make another plan the default instead.")
    plan.save()
