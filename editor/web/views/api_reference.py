"""Documentation for programs: the API reference and the guides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from editor.contexts.api_reference import WAYS, reference_view
from editor.errors import NotFound
from editor.gateway.requests import origin
from editor.web.decorators import MemberRequest, member

DOCS = settings.BASE_DIR / "docs"


@require_safe
@member
def page(request: MemberRequest, *, document: Callable[[HttpRequest], dict[str, Any]]) -> HttpResponse:
    """Every call of the API. `document` belongs to the API: imageeditor/urls.py passes it in."""
    context = {
        "reference": reference_view(document(request)),
        "ways": WAYS,
        "origin": origin(request),
        "nav": "api_reference",
    }
    return render(request, "api/reference.html", context)


@require_safe
@member
def guide(request: MemberRequest) -> HttpResponse:
    """docs/api.md as plain text: it reads well unrendered."""
    return _text("api.md")


@require_safe
@member
def compatible_api_guide(request: MemberRequest, name: str) -> HttpResponse:
    """How to point clients of another service at the portal."""
    if name not in {way.name for way in WAYS}:
        raise NotFound("There is no such guide.")
    return _text(f"compatible/{name}.md")


def _text(name: str) -> HttpResponse:
    return HttpResponse((DOCS / name).read_text(), content_type="text/plain; charset=utf-8")
