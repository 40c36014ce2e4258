"""Failover to the next route of the model: a provider did not accept a platform edit, or is switched off.

A cheaper route charges its own price; a dearer one is not taken. A price that an operator set is that of all
routes, so the job keeps what it holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from editor import catalog
from editor.access import accounts
from editor.catalog import validation
from editor.catalog.types import Route
from editor.engine.errors import JobEnded
from editor.errors import NotOffered
from editor.models import Job, JobEvent, Membership
from editor.operations import timeline
from editor.providers import registry
from editor.providers.base import ErrorKind, ProviderError
from editor.queries import offers, usage_rules
from editor.queries.offers import Decisions

_PASSES_ON = {ErrorKind.UNAVAILABLE, ErrorKind.RATE_LIMITED, ErrorKind.INSUFFICIENT_FUNDS}


def routes_left(*, job: Job) -> list[Route]:
    """Routes that are set up, untried and allowed, support the request and cost no more than is held."""
    model = catalog.catalog().models.get(job.model)
    if model is None or job.own_key or job.provider == "sandbox":
        return []
    masked = job.job_images.filter(role="mask").exists()
    set_up, decided = accounts.available(job.workspace).platform, offers.decisions(job.workspace)
    tried = {*job.tried_providers, job.provider}
    rules = _rules(job)
    return [
        route
        for route in (_at_held_price(route, job, decided) for route in model.routes)
        if route.provider in set_up - tried
        and decided.allows(route.provider, model.id)
        and rules.allow_provider(route.provider)
        and (route.mask or not masked)
        and validation.route_problem(route, job.inputs) is None
        and route.credits * job.samples <= job.price
    ]


def _at_held_price(route: Route, job: Job, decided: Decisions) -> Route:
    """The route at the price of its kind that the job holds already, if an operator set one."""
    if job.model not in decided.prices:
        return route
    return replace(route, credits=min(decided.prices[job.model], job.price // job.samples))


def _rules(job: Job) -> usage_rules.Rules:
    """Those that bind the person who asked for it, as they are now."""
    memberships = Membership.objects.filter(workspace=job.workspace_id, user=job.created_by_id)
    role = memberships.values_list("role", flat=True).first()
    return usage_rules.of_role(job.workspace, role or "")


def go_on(*, job: Job, error: ProviderError) -> bool:
    """Move the job to its next route; False if this error, or having no route left, ends it.

    Only for a job that no provider has accepted. Raises JobEnded if it has ended in the meantime.
    """
    if error.kind not in _PASSES_ON:
        return False
    with transaction.atomic():
        routes = routes_left(job=job)
        if not routes:
            return False
        tried = [*job.tried_providers, job.provider]
        moved = _move(job, routes[0], error.message, submitting_at=None, tried_providers=tried)
    if not moved:
        raise JobEnded
    return True


def leave_switched_off(*, job: Job) -> bool:
    """Move the job to its next route if an operator has switched its own off; whether it was moved.

    Only for a job that no provider has accepted, and whose row is locked. Raises NotOffered if there is no
    other route, and for a model that is switched off or has retired.
    """
    model = catalog.catalog().models.get(job.model)
    if model is None:
        return False
    decided = offers.decisions(job.workspace)
    if model.id in decided.off:
        raise NotOffered(f"{model.label} is not offered any more. Choose another model.")
    if job.own_key or decided.allows(job.provider, model.id):
        return False
    routes, provider = routes_left(job=job), registry.get(job.provider).label
    if not routes:
        raise NotOffered(
            f"An operator has switched off {provider} for {model.label}, and no other provider can run this "
            "edit at its price. Try again, or choose another model."
        )
    return _move(job, routes[0], f"An operator has switched off {provider}.")


def _move(job: Job, route: Route, why: str, **changes: Any) -> bool:
    was, now = registry.get(job.provider).label, registry.get(route.provider).label
    return timeline.record(
        job=job,
        kind=JobEvent.Kind.ASSIGN,
        note=f"From {was} to {now}. {why}",
        provider=route.provider,
        target=route.target,
        reduced_price=route.credits * job.samples,
        **changes,
    )
