"""What an operator changes of the catalogue: models, their prices, and the portal's routes to them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from editor import catalog
from editor.access import operators
from editor.errors import InvalidInput, NotFound
from editor.models import ModelSetting, RouteSetting, User, Workspace
from editor.operations import audit
from editor.providers import registry

HIGHEST_PRICE = 1_000_000  # credits of one image
LONGEST_REASON = 200  # characters


@transaction.atomic
def set_model(
    *, actor: User, model: str, enabled: bool, credits: int | None, retires_on: date | None
) -> None:
    """Offer the model or not, to all workspaces.

    credits     the price of one image on every route; None: the catalogue's
    retires_on  from this day on (UTC) it cannot be used; None: never

    Edits that were sent to a provider go on, at the price that they hold. Others of a model that is not
    offered any more fail when they are to be sent, and cost nothing.
    Raises InvalidInput, also for an unknown model.
    """
    operators.require(actor)
    label = catalog.get_model(model).label
    row = _locked(model, None)
    _change(
        row,
        actor=actor,
        action="model.changed",
        target=label,
        values={"enabled": enabled, "credits": _checked_price(credits), "retires_on": retires_on},
    )


@transaction.atomic
def set_price(*, actor: User, model: str, workspace: Workspace, credits: int | None) -> None:
    """Set the price of one image for one workspace, on every route; None: as for all others."""
    operators.require(actor)
    label = catalog.get_model(model).label
    _change(
        _locked(model, workspace),
        actor=actor,
        action="model.price_changed",
        target=label,
        values={"credits": _checked_price(credits)},
    )


@transaction.atomic
def switch_route(*, actor: User, provider: str, model: str, on: bool, reason: str = "") -> None:
    """Use the portal's key at the provider for this model or not; model "": for all its models. Idempotent.

    reason  why it is switched off, for other operators

    Edits that were sent already go on. Others move to another route that costs no more, or fail and cost
    nothing: see engine/failover.py. Raises NotFound for an unknown route, and InvalidInput.
    """
    operators.require(actor)
    target = _route_label(provider, model)
    reason = reason.strip()
    if not on and not 1 <= len(reason) <= LONGEST_REASON:
        raise _wrong("reason", f"Say why, in 1 to {LONGEST_REASON} characters.")
    rows = RouteSetting.objects.filter(provider=provider, model=model)
    if on:
        changed = bool(rows.delete()[0])
    else:
        _, changed = RouteSetting.objects.get_or_create(
            provider=provider, model=model, defaults={"reason": reason}
        )
    if changed:
        audit.record(
            workspace=None,
            actor=actor,
            action="route.enabled" if on else "route.disabled",
            target=target,
            data={"note": reason} if reason else None,
            before={"enabled": not on},
            after={"enabled": on},
        )


def _locked(model: str, workspace: Workspace | None) -> ModelSetting:
    """The decision about the model, so far; made if there is none, so that no two are."""
    ModelSetting.objects.get_or_create(model=model, workspace=workspace)
    return ModelSetting.objects.select_for_update(no_key=True).get(model=model, workspace=workspace)


def _change(row: ModelSetting, *, actor: User, action: str, target: str, values: dict[str, Any]) -> None:
    """Set and record what differs. A row that says nothing is deleted."""
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    after = {name: values[name] for name in before}
    for name, value in after.items():
        setattr(row, name, value)
    if row.enabled and row.credits is None and row.retires_on is None:
        row.delete()
    else:
        row.save()
    if after:
        audit.record(
            workspace=row.workspace, actor=actor, action=action, target=target, before=before, after=after
        )


def _route_label(provider: str, model: str) -> str:
    known = registry.providers().get(provider)
    entry = catalog.catalog().models.get(model)
    if known is None or not known.needs_key or (model and (entry is None or provider not in entry.providers)):
        raise NotFound("There is no such route.")
    return f"{known.label}, {entry.label}" if entry else known.label


def _checked_price(credits: int | None) -> int | None:
    if credits is not None and not 0 <= credits <= HIGHEST_PRICE:
        raise _wrong("credits", f"Enter a whole number of credits from 0 to {HIGHEST_PRICE:,}.")
    return credits


def _wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={field: problem})
