"""Documentation for programs: the API reference and the guides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from editor.access.permissions import Permission
from editor.contexts import guides
from editor.contexts.api_reference import WAYS, reference_view, team_view
from editor.errors import NotFound
from editor.gateway.requests import origin
from editor.web.decorators import MemberRequest, member

# The document belongs to the API: imageeditor/urls.py passes it in.
Document = Callable[[HttpRequest], dict[str, Any]]


@require_safe
@member(Permission.VIEW)
def page(request: MemberRequest, *, document: Document) -> HttpResponse:
    """Every call of the API but those of the next page."""
    context = {
        "reference": reference_view(document(request)),
        "ways": WAYS,
        "origin": origin(request),
        "nav": "api_reference",
    }
    return render(request, "api/reference.html", context)


@require_safe
@member(Permission.VIEW)
def team(request: MemberRequest, *, document: Document) -> HttpResponse:
    """The calls about members and invitations."""
    context = {"team": team_view(document(request)), "nav": "api_reference"}
    return render(request, "api/team.html", context)


@require_safe
@member(Permission.VIEW)
def guide(request: MemberRequest) -> HttpResponse:
    """How to use the API; `?as=markdown` returns the file itself."""
    return _guide(request, "api")


@require_safe
@member(Permission.VIEW)
def compatible_api_guide(request: MemberRequest, name: str) -> HttpResponse:
    """How to point clients of another service at the portal; `?as=markdown` returns the file itself."""
    if name not in {way.name for way in WAYS}:
        raise NotFound("There is no such guide.")
    return _guide(request, f"compatible/{name}")


@require_safe
@member(Permission.VIEW)
def credits_guide(request: MemberRequest) -> HttpResponse:
    """How credits, limits and approvals work; `?as=markdown` returns the file itself."""
    return _guide(request, "credits", nav="credits")


def _guide(request: MemberRequest, name: str, *, nav: str = "api_reference") -> HttpResponse:
    found = guides.guide(name)
    if request.GET.get("as") == "markdown":
        return HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    return render(request, "api/guide.html", {"guide": found, "nav": nav})
