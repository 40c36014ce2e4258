"""Credits: balance, spending and ledger."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from editor.access.permissions import Permission
from editor.contexts.credits import credits_page
from editor.contexts.transfers import transfer_view
from editor.web.decorators import MemberRequest, member


@require_GET
@member(Permission.VIEW)
def credits(request: MemberRequest) -> HttpResponse:
    """The ledger, newest entries first; `?before=` pages back."""
    before = request.GET.get("before", "")
    page = credits_page(
        request.actor.workspace,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    context = {"credits": page, "transfer": transfer_view(request.actor), "nav": "credits"}
    return render(request, "workspace/credits.html", context)
