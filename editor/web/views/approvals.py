"""The Approvals page: edits over a limit that owners and admins approve or decline."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.approvals import approvals_view
from editor.errors import EditorError, InvalidInput
from editor.operations import approvals
from editor.web.decorators import MemberRequest, member
from editor.web.htmx import error_response, is_fragment


@require_GET
@member(Permission.APPROVE)
def page(request: MemberRequest) -> HttpResponse:
    """What waits, or with `?show=decided` what was decided.

    `?decline=` opens the form for a card's reason, `?declining=` names those that are open, and `?back=`
    closes one. Over htmx, the parts that change.
    """
    data = request.GET
    opened, declining = data.get("decline", ""), {*data.getlist("declining"), data.get("decline", "")}
    view = approvals_view(
        request.actor,
        decided=data.get("show") == "decided",
        declining=declining - {data.get("back", "")},
        opened=opened,
    )
    template = "approvals/_live.html" if is_fragment(request) else "approvals/approvals.html"
    return render(request, template, {"view": view, "nav": "approvals"})


@require_POST
@member(Permission.APPROVE)
def approve(request: MemberRequest, job_id: UUID) -> HttpResponse:
    """Let the edit run at the `price` that was shown; with `raise_cap`, raise the cap by it too."""
    job = lookups.job(request.actor, job_id)
    price = request.POST.get("price", "")
    if not (price.isascii() and price.isdigit() and len(price) < 10):
        raise InvalidInput("This page is out of date; reload it and try again.")
    try:
        approvals.approve(
            actor=request.actor, job=job, price=int(price), raise_cap="raise_cap" in request.POST
        )
    except EditorError as error:
        return _refused(request, error)
    return _decided(request, "Approved. The edit runs now.")


@require_POST
@member(Permission.APPROVE)
def decline(request: MemberRequest, job_id: UUID) -> HttpResponse:
    """End the edit; the one who asked sees the `reason`."""
    job = lookups.job(request.actor, job_id)
    approvals.decline(actor=request.actor, job=job, reason=request.POST.get("reason", ""))
    return _decided(request, "Declined. Who asked sees the reason.")


def _decided(request: MemberRequest, message: str) -> HttpResponse:
    """The cards that still wait, or without script the page."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("approvals", request.actor.workspace.slug)
    view = approvals_view(request.actor, declining=request.POST.getlist("declining"))
    return render(request, "approvals/_live.html", {"view": view, "message": message})


def _refused(request: MemberRequest, error: EditorError) -> HttpResponse:
    """Why, at the card; its price may have changed."""
    response = error_response(request, error)
    if is_fragment(request):
        view = approvals_view(request.actor, declining=request.POST.getlist("declining"))
        response.content += render(request, "approvals/_live.html", {"view": view}).content
    return response
