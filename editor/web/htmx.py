"""Distinguishes htmx requests from page loads, and renders errors for each."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string

from editor import retry_after
from editor.errors import EditorError, SecondFactorRequired


def is_fragment(request: HttpRequest) -> bool:
    """True if htmx requests a part of a page, not a whole page."""
    return bool(getattr(request, "htmx", False)) and request.headers.get("HX-Request-Type") != "full"


def error_response(request: HttpRequest, error: EditorError) -> HttpResponse:
    """An error as a fragment beside the prompt, or as a page of its own.

    Whoever has to set up a second factor gets to the page for that, which says who demands it.
    """
    if isinstance(error, SecondFactorRequired) and not is_fragment(request):
        return redirect("account")
    # By path: the request may have been refused before its route was resolved.
    running = request.path_info.endswith("/run/")
    charge = "Nothing was charged." if running and "Nothing was charged" not in error.message else ""
    if is_fragment(request):
        fields = error.fields if len(error.fields) > 1 else {}
        context: dict[str, Any] = {"error": error.message, "charge": charge, "fields": fields}
        page = render_to_string("studio/_error.html", context, request)
    else:
        text = f"{error.message} {charge}".strip()
        page = render_to_string("error.html", {"error": text}, request)
    return HttpResponse(page, status=error.status, headers=retry_after.headers(error))
