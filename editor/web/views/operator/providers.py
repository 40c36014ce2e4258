"""Providers and models for operators: the portal's keys and routes, prices, retirement."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor import catalog, phrases
from editor.access import operators
from editor.contexts.operator.health import provider_rows
from editor.contexts.operator.models import model_rows
from editor.operations import offers, portal_keys
from editor.operations.provider_keys import TWO_PART
from editor.providers import registry
from editor.web.decorators import OperatorRequest, operator
from editor.web.forms.operator import ConfirmForm, KeyForm, ModelForm, ReasonForm
from editor.web.views.operator.acts import Act, answer, done, posted

_form = require_http_methods(["GET", "HEAD", "POST"])
_TESTED = {
    True: "The key works.",
    False: "The key has a problem.",
    None: "The key could not be tested.",
}


@operator
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """Each provider: its health, the portal's key, and its routes."""
    context = {"rows": provider_rows(now=timezone.now()), "nav": "providers"}
    return render(request, "operator/providers.html", context)


@sensitive_post_parameters()
@operator
@_form
def save_key(request: OperatorRequest, provider: str) -> HttpResponse:
    """Store the portal's key, unless the provider refuses it."""
    label = _label(provider)

    def do(values: dict[str, Any]) -> str:
        key = async_to_sync(portal_keys.save_and_test)(actor=request.operator, provider=provider, **values)
        return f"Key for {label} saved. It works." if key.checked_at else f"Key for {label} saved. {key.note}"

    act = Act(
        title=f"The portal's key for {label}",
        text="It is tested before it is stored, and never shown again. It replaces the present one.",
        button="Save and test",
        back=reverse("operator_providers"),
        nav="providers",
    )
    return answer(request, act, KeyForm(posted(request), takes_secret=provider in TWO_PART), do)


@operator
@require_POST
def test_key(request: OperatorRequest, provider: str) -> HttpResponse:
    """Test the stored key with the provider."""
    key = operators.provider_key(provider)
    verdict = async_to_sync(portal_keys.test)(actor=request.operator, key=key)
    message = f"{_label(provider)}: {_TESTED[verdict.accepted]} {verdict.note}".strip()
    return done(request, message, reverse("operator_providers"))


@operator
@_form
def remove_key(request: OperatorRequest, provider: str) -> HttpResponse:
    """Delete the stored key."""
    label, key = _label(provider), operators.provider_key(provider)

    def do(values: dict[str, Any]) -> str:
        portal_keys.remove(actor=request.operator, key=key)
        return f"The portal's key for {label} was removed."

    text = "Edits that run on it now fail, and their credits are returned."
    act = Act(f"Remove the key for {label}?", "Remove", reverse("operator_providers"), "providers", text)
    return answer(request, act, ConfirmForm(posted(request)), do)


@operator
@_form
def switch_route(request: OperatorRequest, provider: str, on: bool, model_id: str = "") -> HttpResponse:
    """Use the portal's key at this provider for one model, or all, or not."""
    label = _label(provider)
    what = f"{label} for {catalog.get_model(model_id).label}" if model_id else label

    def do(values: dict[str, Any]) -> str:
        offers.switch_route(
            actor=request.operator,
            provider=provider,
            model=model_id,
            on=on,
            reason=values.get("reason", ""),
        )
        return f"{what} is switched {'on' if on else 'off'}."

    act = Act(
        title=f"Switch {what} {'on' if on else 'off'}?",
        text=""
        if on
        else "New and queued edits take the model's next route. Queued ones without a route at their price "
        "fail, and their credits are returned. Edits that were sent already go on, and workspaces' own keys "
        "stay as they are.",
        button=f"Switch {'on' if on else 'off'}",
        back=reverse("operator_providers"),
        nav="providers",
    )
    form = ConfirmForm(posted(request)) if on else ReasonForm(posted(request))
    return answer(request, act, form, do)


@operator
@require_safe
def models(request: OperatorRequest) -> HttpResponse:
    """All models of the catalogue, as they are offered."""
    return render(request, "operator/models.html", {"rows": model_rows(), "nav": "models"})


@operator
@_form
def model(request: OperatorRequest, model_id: str) -> HttpResponse:
    """Offer the model or not, its price, and when it retires."""
    row = next((row for row in model_rows() if row.id == model_id), None)
    if row is None:
        raise Http404

    def do(values: dict[str, Any]) -> str:
        offers.set_model(actor=request.operator, model=model_id, **values)
        return f"{row.label} saved."

    act = Act(
        title=row.label,
        text=f"The catalogue's price of one image is {phrases.credits(row.usual)}. Edits keep the price "
        "at which they were started. Once the model is not offered any more, queued edits fail, and their "
        "credits are returned; those that were sent already go on.",
        button="Save",
        back=reverse("operator_models"),
        nav="models",
    )
    present = {"enabled": row.is_enabled, "credits": row.credits, "retires_on": row.retires_on}
    return answer(request, act, ModelForm(posted(request), initial=present), do)


def _label(provider: str) -> str:
    found = registry.providers().get(provider)
    if found is None:
        raise Http404
    return found.label
