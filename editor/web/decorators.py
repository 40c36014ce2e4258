"""Access control for a workspace's pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from editor.access import lookups
from editor.access.actor import Actor

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request of a signed-in member; `actor` is the user in the workspace."""

    actor: Actor


def member(
    view: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
    """Require a signed-in member of the workspace in the path; others get the sign-in page or "not found"."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request.actor = lookups.actor(request.user, slug)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return guarded  # type: ignore[return-value]
