"""What each role can do."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from editor.access.permissions import Permission
from editor.contexts import roles
from editor.web.decorators import MemberRequest, member


@require_safe
@member(Permission.VIEW)
def page(request: MemberRequest) -> HttpResponse:
    """The permissions of each role, and what the scopes of API keys need."""
    context = {
        "roles": roles.roles(),
        "rows": roles.permission_rows(),
        "scopes": roles.scope_rows(),
        "nav": "roles",
    }
    return render(request, "settings/roles.html", context)
