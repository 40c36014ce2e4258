"""Template context of the frame around every page."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from editor.access.permissions import Permission
from editor.models import User
from editor.operations import people
from editor.operations import workspaces as operation
from editor.queries import approvals, credits, members, notices

THEMES = ("auto", "light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Site name, theme and unread notices; on a workspace's pages also its balance and the user's workspaces.

    Notices are counted when a template shows them.
    """
    theme = request.COOKIES.get("theme", "auto")
    shown: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "theme": theme if theme in THEMES else "auto",
        "signup_open": people.sign_up_is_open(),
    }
    user = getattr(request, "user", None)  # not if a request was refused before the session was read
    if not isinstance(user, User):
        return shown
    shown["unread"] = SimpleLazyObject(partial(notices.unread, user))
    actor = getattr(request, "actor", None)
    if actor is not None:
        shown["workspace"] = actor.workspace
        shown["workspaces"] = members.workspaces_of(user)
        shown["permissions"] = actor.permissions
        shown["rights"] = actor.rights
        shown["may_create_workspaces"] = operation.may_create(user)
        shown["balance"] = credits.balance(actor.workspace)
        if actor.may(Permission.APPROVE):
            shown["waiting"] = approvals.count_waiting(actor.workspace)
    return shown
