"""How each provider did in the last day, and what the portal's routes to it are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from editor import catalog
from editor.contexts.operator.figures import by_hour, dollars, percent, tone, within_a_day, worth
from editor.contexts.operator.sparklines import Sparkline, sparkline
from editor.models import Job, ProviderKey, RouteSetting
from editor.operations.provider_keys import TWO_PART
from editor.providers import registry
from editor.providers.base import Provider
from editor.queries.operator import activity, routes
from editor.queries.operator.activity import Hour

FEWEST = 5  # edits that a judgement needs


@dataclass(frozen=True, slots=True)
class Health:
    """One provider's last day.

    success     as "99.4 %"; "–" without edits
    half, most  what half and 95 % of the edits took at most; "–" without edits
    last_error  when, and what in a few words; "" for none
    cost        US dollars of edits with the portal's keys, "" if the provider reports none
    margin      what those edits were sold for, less their cost; "" if it cannot be known
    badge       (state, text)
    """

    name: str
    label: str
    edits: int
    success: str
    half: str
    most: str
    last_error_at: datetime | None
    last_error: str
    cost: str
    sold: str
    margin: str
    badge: tuple[str, str]
    spark: Sparkline


@dataclass(frozen=True, slots=True)
class RouteRow:
    """The portal's route to one model. `reason`: why it is off."""

    model: str
    label: str
    is_off: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider as the Providers page shows it.

    key          the portal's stored key; environment: one is set there and takes precedence
    is_set_up    edits can be sent to it
    is_off       all its routes are switched off, and why
    """

    health: Health
    takes_key: bool
    takes_secret: bool
    key: ProviderKey | None
    environment: bool
    is_set_up: bool
    is_off: bool
    reason: str
    routes: list[RouteRow]


def provider_health(*, now: datetime, hours: Sequence[Hour]) -> list[Health]:
    """Of all providers that are installed, by label; the sandbox last. Charts have one scale."""
    refused, took = activity.refusals(now=now), activity.durations(now=now)
    failures, off = activity.last_failures(now=now), routes.off()
    return [
        _health(provider, now, hours, refused.get(provider.name, 0), took, failures, off)
        for provider in _providers()
    ]


def provider_rows(*, now: datetime) -> list[ProviderRow]:
    hours = activity.hours(now=now)
    health = {one.name: one for one in provider_health(now=now, hours=hours)}
    keys, off = routes.portal_keys(), {(one.provider, one.model): one for one in routes.settings()}
    return [_row(provider, health[provider.name], keys, off) for provider in _providers()]


def _providers() -> list[Provider]:
    return sorted(registry.providers().values(), key=lambda one: (not one.needs_key, one.label.casefold()))


def _row(
    provider: Provider,
    health: Health,
    keys: Mapping[str, ProviderKey],
    off: Mapping[tuple[str, str], RouteSetting],
) -> ProviderRow:
    key = keys.get(provider.name)
    in_environment = bool(settings.PROVIDERS.get(provider.name, {}).get("key"))
    whole = off.get((provider.name, ""))
    return ProviderRow(
        health=health,
        takes_key=provider.needs_key,
        takes_secret=provider.name in TWO_PART,
        key=key,
        environment=in_environment,
        is_set_up=in_environment or bool(key and key.is_enabled) or not provider.needs_key,
        is_off=whole is not None,
        reason=whole.reason if whole else "",
        routes=[
            RouteRow(
                model=model.id,
                label=model.label,
                is_off=(provider.name, model.id) in off,
                reason=off[provider.name, model.id].reason if (provider.name, model.id) in off else "",
            )
            for model in catalog.catalog().models.values()
            if provider.name in model.providers
        ],
    )


def _health(
    provider: Provider,
    now: datetime,
    hours: Sequence[Hour],
    refused: int,
    took: Mapping[str, tuple[timedelta, timedelta]],
    failures: Mapping[str, Job],
    off: frozenset[str],
) -> Health:
    own = [hour for hour in hours if hour.provider == provider.name]
    day = within_a_day(now, own)
    completed, blamed = sum(one.completed for one in day), sum(one.blamed for one in day) + refused
    share = completed / (completed + blamed) if completed + blamed else None
    rates = by_hour(now, own, _rate)
    failure = failures.get(provider.name)
    has_cost = any(one.with_cost for one in day)
    cost, charged = sum((one.cost for one in day), Decimal(0)), sum(one.charged_with_cost for one in day)
    return Health(
        name=provider.name,
        label=provider.label,
        edits=completed + blamed,
        success=percent(share),
        half=_seconds(took.get(provider.name, (None, None))[0]),
        most=_seconds(took.get(provider.name, (None, None))[1]),
        last_error_at=failure.finished_at if failure else None,
        last_error=failure.error if failure else "",
        cost=dollars(cost) if has_cost else "",
        sold=worth(charged) if has_cost else "",
        margin=_margin(cost, charged) if has_cost else "",
        badge=_badge(provider.name in off, completed + blamed, share),
        spark=sparkline(rates, top=1, tone=tone(share)),
    )


def _rate(hours: list[Hour]) -> float:
    """The share of completed edits in an hour; 1 without edits, so that quiet hours are no dents."""
    completed, blamed = sum(one.completed for one in hours), sum(one.blamed for one in hours)
    return completed / (completed + blamed) if completed + blamed else 1.0


def _badge(is_off: bool, edits: int, share: float | None) -> tuple[str, str]:
    if is_off:
        return "disabled", "Switched off"
    if share is None:
        return "idle", "No edits"
    if edits < FEWEST and share:
        return "active", "Healthy"
    return {"": ("active", "Healthy"), "warn": ("problem", "Some errors")}.get(
        tone(share), ("bad", "Failing")
    )


def _seconds(took: timedelta | None) -> str:
    if took is None:
        return "–"
    seconds = took.total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"


def _margin(cost: Decimal, charged: int) -> str:
    """Both amounts are in US dollars, or it cannot be known."""
    if settings.CREDIT_PRICE is None or settings.CURRENCY != "USD":
        return ""
    return dollars(settings.CREDIT_PRICE * charged - cost).replace("$-", "−$")
