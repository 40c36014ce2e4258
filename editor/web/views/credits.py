"""Credits: balance, spending and ledger."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from editor.access.permissions import Permission
from editor.contexts.credits import credits_page
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
    return render(request, "workspace/credits.html", {"credits": page, "nav": "credits"})
