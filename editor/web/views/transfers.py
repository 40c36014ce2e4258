"""Transfers of credits to another workspace of the same owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from editor import phrases
from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.transfers import transfer_view
from editor.errors import EditorError
from editor.operations import transfers
from editor.web.decorators import MemberRequest, member
from editor.web.forms.transfers import TransferForm


@require_http_methods(["GET", "POST"])
@member(Permission.WORKSPACE_OWN)
def page(request: MemberRequest) -> HttpResponse:
    """The form; POST transfers, and returns to the credits."""
    form = TransferForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        to, amount, note = (form.cleaned_data[name] for name in ("to", "amount", "note"))
        try:
            other = lookups.actor(request.actor.user, to, address=request.actor.address)
            transfers.transfer(actor=request.actor, to=other, amount=amount, note=note)
        except EditorError as error:
            for field, problem in (error.fields or {"to": error.message}).items():
                form.add_error(field, problem)
        else:
            credits = phrases.credits(amount)
            messages.success(request, f"{credits} transferred to “{other.workspace}”.")
            return redirect("credits", request.actor.workspace.slug)
    context = {"transfer": transfer_view(request.actor), "form": form, "nav": "credits"}
    return render(request, "credits/transfer.html", context, status=400 if form.errors else 200)
