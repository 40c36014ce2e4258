"""A person's notices, in all their workspaces."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from editor.contexts import notices as contexts
from editor.models import User
from editor.operations import notices as operations
from editor.queries import notices as queries
from editor.web.htmx import is_fragment


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """All notices, newest first; `?before=` (Unix seconds) pages back. The list of the bell for htmx."""
    assert isinstance(request.user, User)
    if is_fragment(request):
        return render(request, "notices/_list.html", contexts.bell(request.user))
    shown = contexts.page(request.user, before=_time(request.GET.get("before", "")))
    return render(request, "notices/notices.html", {"page": shown})


@require_GET
@login_required
def follow(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark it as read, and go to the page that it is about."""
    assert isinstance(request.user, User)
    notice = queries.one(request.user, notice_id)
    operations.read(notice=notice)
    return redirect(contexts.target(notice))


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    assert isinstance(request.user, User)
    operations.read_all(user=request.user)
    if is_fragment(request):
        return render(request, "notices/_swap.html", contexts.bell(request.user))
    return redirect("notices")


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
