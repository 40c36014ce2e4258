"""Webhook endpoints and their deliveries. A secret is shown only in the response that creates it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.webhooks import webhooks_view
from editor.errors import Conflict, InvalidInput
from editor.gateway.requests import origin
from editor.operations.webhooks import deliveries, endpoints
from editor.web.decorators import MemberRequest, member
from editor.web.forms.webhooks import EndpointForm
from editor.web.htmx import is_fragment


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.WEBHOOKS_MANAGE)
def page(request: MemberRequest) -> HttpResponse:
    """Endpoints, the low balance threshold and recent deliveries; POST creates an endpoint."""
    return _create(request) if request.method == "POST" else _page(request, EndpointForm())


@require_GET
@member(Permission.WEBHOOKS_MANAGE)
def sent(request: MemberRequest) -> HttpResponse:
    """The current list of deliveries."""
    return render(request, "settings/_deliveries.html", {"webhooks": webhooks_view(request.actor)})


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def change(request: MemberRequest, endpoint_id: str) -> HttpResponse:
    """Set the endpoint's `events` and whether it is `enabled`."""
    endpoint = lookups.webhook_endpoint(request.actor, endpoint_id)
    endpoints.change(
        actor=request.actor,
        endpoint=endpoint,
        events=request.POST.getlist("events"),
        is_enabled=request.POST.get("enabled") == "1",
    )
    return _done(request, "Endpoint changed.")


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def renew_secret(request: MemberRequest, endpoint_id: str) -> HttpResponse:
    """Create a new secret, shown once."""
    endpoint = lookups.webhook_endpoint(request.actor, endpoint_id)
    secret = endpoints.renew_secret(actor=request.actor, endpoint=endpoint)
    return _shown_once(request, url=endpoint.url, secret=secret)


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def remove(request: MemberRequest, endpoint_id: str) -> HttpResponse:
    """Delete the endpoint."""
    endpoint = lookups.webhook_endpoint(request.actor, endpoint_id)
    endpoints.remove(actor=request.actor, endpoint=endpoint)
    return _done(request, "Endpoint deleted.")


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def test(request: MemberRequest, endpoint_id: str) -> HttpResponse:
    """Send a test event."""
    endpoint = lookups.webhook_endpoint(request.actor, endpoint_id)
    deliveries.test(actor=request.actor, endpoint=endpoint)
    return _done(request, "The test event is on its way.")


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def resend(request: MemberRequest, delivery_id: str) -> HttpResponse:
    """Send a delivery again."""
    delivery = lookups.webhook_delivery(request.actor, delivery_id)
    deliveries.resend(actor=request.actor, delivery=delivery)
    return _done(request, "The delivery is on its way again.", "settings/_deliveries_swap.html")


@require_POST
@member(Permission.WEBHOOKS_MANAGE)
def low_balance_threshold(request: MemberRequest) -> HttpResponse:
    """Set the balance below which the endpoints are notified."""
    text = request.POST.get("low_balance_threshold", "")
    credits = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
    endpoints.set_low_balance_threshold(actor=request.actor, credits=credits)
    return _done(request, "Alert threshold saved.")


def _create(request: MemberRequest) -> HttpResponse:
    form = EndpointForm(request.POST)
    try:
        url, events = form.wanted()
        _, secret = endpoints.create(actor=request.actor, url=url, events=events, origin=origin(request))
    except InvalidInput as error:
        if is_fragment(request):
            raise
        form.refuse(error)
        return _page(request, form, status=error.status)
    except Conflict as error:
        if is_fragment(request):
            raise
        return _page(request, form, problem=error.message, status=error.status)
    return _shown_once(request, url=url, secret=secret, form=EndpointForm())


def _page(
    request: MemberRequest, form: EndpointForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "webhooks": webhooks_view(request.actor),
        "form": form,
        "problem": problem,
        "nav": "webhooks",
    }
    return render(request, "settings/webhooks.html", context, status=status)


def _shown_once(
    request: MemberRequest, *, url: str, secret: str, form: EndpointForm | None = None
) -> HttpResponse:
    """The secret in the page's dialog, or without script on a page of its own."""
    in_dialog = is_fragment(request)
    template = "settings/_webhook_made_swap.html" if in_dialog else "settings/webhook_made.html"
    context = {
        "webhooks": webhooks_view(request.actor),
        "url": url,
        "secret": secret,
        "form": form,
        "in_dialog": in_dialog,
        "nav": "webhooks",
    }
    return render(request, template, context)


def _done(
    request: MemberRequest, message: str, template: str = "settings/_webhooks_swap.html"
) -> HttpResponse:
    """The updated lists, or without script the page."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("webhooks", request.actor.workspace.slug)
    context = {"webhooks": webhooks_view(request.actor), "message": message}
    return render(request, template, context)
