"""Access control for the pages of a workspace, and for those of operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from editor.access import lookups, operators
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import NotFound
from editor.models import User
from editor.operations import last_used

P = ParamSpec("P")
View = Callable[Concatenate["MemberRequest", P], HttpResponseBase]
Guarded = Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request of a signed-in member; `actor` is the user in the workspace."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Needed:
    """The permissions that a view names.

    of_others  for rows of other people; None: the same
    """

    get: Permission
    post: Permission
    of_others: Permission | None = None


def member(
    permission: Permission, *, post: Permission | None = None, of_others: Permission | None = None
) -> Callable[[View[P]], Guarded[P]]:
    """Require a signed-in member of the workspace in the path, with this permission.

    post       the permission for POST, if it is another one
    of_others  the permission for rows of other people, if it is another one; the operation checks it

    Others get the sign-in page, "not found", or PermissionDenied.
    """

    def decorate(view: View[P]) -> Guarded[P]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor = lookups.actor(request.user, slug, address=request.META.get("REMOTE_ADDR"))
            actor.require(post if post and request.method == "POST" else permission)
            last_used.note_member(actor.membership)
            request.actor = actor  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.permissions = Needed(permission, post or permission, of_others)  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


class OperatorRequest(HttpRequest):
    """A request of the portal's operator."""

    operator: User


OperatorView = Callable[Concatenate[OperatorRequest, P], HttpResponseBase]


def operator(view: OperatorView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Require an operator. For all others, signed in or not, there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            request.operator = operators.require(request.user)  # type: ignore[attr-defined]
        except NotFound:
            raise Http404 from None
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return guarded  # type: ignore[return-value]
