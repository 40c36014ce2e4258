"""How to use the portal from programs: the reference of its API, and the guide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from editor.contexts.api_reference import reference_view
from editor.web.decorators import MemberRequest, member

GUIDE = settings.BASE_DIR / "docs" / "api.md"


@require_safe
@member
def page(request: MemberRequest, *, document: Callable[[HttpRequest], dict[str, Any]]) -> HttpResponse:
    """Every call of the API. `document` is another door's: imageeditor/urls.py hands it in."""
    context = {"reference": reference_view(document(request)), "nav": "api_reference"}
    return render(request, "api/reference.html", context)


@require_safe
@member
def guide(request: MemberRequest) -> HttpResponse:
    """docs/api.md as it is: it reads well without being made into a page."""
    return HttpResponse(GUIDE.read_text(), content_type="text/plain; charset=utf-8")
