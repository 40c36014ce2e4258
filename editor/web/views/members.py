"""The Members page: who is in the workspace, with which role, permission and cap."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.members import MembersView, member_row, members_view
from editor.errors import EditorError, InvalidInput
from editor.gateway.requests import origin
from editor.models import Membership, Role
from editor.operations import members, second_factors
from editor.web.decorators import MemberRequest, member
from editor.web.forms import members as forms
from editor.web.htmx import error_response, is_fragment

LAST_PAGE = 10_000
CAPS = ("monthly_cap", "daily_cap")
LONGEST_WORDS = 200  # characters


@require_GET
@member(Permission.MEMBERS_VIEW)
def page(request: MemberRequest) -> HttpResponse:
    """Members by name or email (`?q=`), a page at a time (`?page=`), and pending invitations."""
    template = "settings/_members.html" if is_fragment(request) else "settings/members.html"
    return render(request, template, {"team": shown(request), "nav": "members"})


@require_GET
@member(Permission.MEMBERS_VIEW)
def live(request: MemberRequest) -> HttpResponse:
    """What changes by itself in the rows that are shown: spent, last active, status."""
    return render(request, "settings/_members_live.html", {"team": shown(request)})


@require_POST
@member(Permission.MEMBERS_MANAGE)
def change(request: MemberRequest, user_id: str) -> HttpResponse:
    """Set the `role`, caps or `access` that the form contains. If refused, the old value and why."""
    actor, post = request.actor, request.POST
    membership = lookups.membership(actor, user_id)
    field = next((name for name in ("role", *CAPS, "access") if name in post), "")
    if not field:
        raise InvalidInput("The form contains nothing to change.")
    try:
        changed = members.change(
            actor=actor,
            membership=membership,
            role=_role(post["role"]) if "role" in post else None,
            access_image_editor=post["access"] == "1" if "access" in post else None,
            **{name: forms.cap(post[name], field=name) for name in CAPS if name in post},
        )
    except EditorError as error:
        response = error_response(request, error)
        if is_fragment(request) and field not in CAPS:  # what was typed stays in its field
            context = {"row": member_row(actor, membership), "problem": error.message}
            response.content += render(request, "settings/_member_swap.html", context).content
        return response
    name = changed.user.display_name
    message = {
        "role": f"{name} is {Role(changed.role).label.lower()} now.",
        **dict.fromkeys(CAPS, f"Cap of {name} saved."),
        "access": f"Access Image Editor of {name} is {'on' if changed.access_image_editor else 'off'}.",
    }[field]
    return _changed(request, changed, message, closes=field in CAPS)


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.MEMBERS_MANAGE)
def remove(request: MemberRequest, user_id: str) -> HttpResponse:
    """Ask whether to remove the member; POST removes them."""
    membership = lookups.membership(request.actor, user_id)
    if request.method != "POST":
        return _confirm(request, membership, "remove")
    members.remove(actor=request.actor, membership=membership)
    return _all(request, f"{membership.user.display_name} was removed.")


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.WORKSPACE_OWN)
def make_owner(request: MemberRequest, user_id: str) -> HttpResponse:
    """Ask whether to make the member an owner; POST does it."""
    membership = lookups.membership(request.actor, user_id)
    if request.method != "POST":
        return _confirm(request, membership, "own")
    members.change(actor=request.actor, membership=membership, role=Role.OWNER)
    return _all(request, f"{membership.user.display_name} is an owner now.")


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.WORKSPACE_OWN)
def reset_second_factor(request: MemberRequest, user_id: str) -> HttpResponse:
    """Ask whether to reset the member's second factor; POST does it."""
    membership = lookups.membership(request.actor, user_id)
    if request.method != "POST":
        return _confirm(request, membership, "reset")
    second_factors.reset_second_factor(actor=request.actor, membership=membership)
    return _all(request, f"The second factor of {membership.user.display_name} was reset.")


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.VIEW)
def leave(request: MemberRequest) -> HttpResponse:
    """Ask whether to leave the workspace; POST leaves it."""
    if request.method != "POST":
        return _confirm(request, request.actor.membership, "leave")
    members.leave(actor=request.actor)
    messages.success(request, f"You left {request.actor.workspace}.")
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": "/"})
    return redirect("home")


@require_GET
@member(Permission.VIEW)
def rights(request: MemberRequest) -> HttpResponse:
    """Reload the page that requests this: its viewer's rights have changed."""
    role = Role(request.actor.membership.role).label.lower()
    messages.info(request, f"What you may do in this workspace has changed. You are {_a(role)} {role}.")
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


def shown(request: MemberRequest, *, actor: Actor | None = None) -> MembersView:
    """The list as the request's `q` and `page` select it, from the URL or from a form."""
    data = request.GET or request.POST
    number = data.get("page", "1")
    in_range = number.isascii() and number.isdigit() and len(number) < 6 and 1 <= int(number) <= LAST_PAGE
    words = data.get("q", "").strip()[:LONGEST_WORDS]
    return members_view(
        actor or request.actor, origin=origin(request), words=words, number=int(number) if in_range else 1
    )


def _a(word: str) -> str:
    return "an" if word[0] in "aeo" else "a"


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise InvalidInput("Choose a role from the list.", fields={"role": "Unknown role."}) from None


def _changed(request: MemberRequest, membership: Membership, message: str, *, closes: bool) -> HttpResponse:
    """The member's row, or without script the page. `closes`: with its popovers closed."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("members", request.actor.workspace.slug)
    actor = request.actor
    if membership.user_id == actor.user.pk:
        actor = replace(actor, membership=membership)
    context = {"row": member_row(actor, membership), "message": message, "closes": closes}
    return render(request, "settings/_member_swap.html", context)


def _all(request: MemberRequest, message: str) -> HttpResponse:
    """The updated list, or without script the page."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("members", request.actor.workspace.slug)
    return render(request, "settings/_members_swap.html", {"team": shown(request), "message": message})


def _confirm(request: MemberRequest, membership: Membership, act: str) -> HttpResponse:
    """The question in the page's dialog, or without script on a page of its own."""
    template = "settings/_member_confirm.html" if is_fragment(request) else "settings/member_confirm.html"
    context = {"act": act, "person": membership.user, "in_dialog": is_fragment(request), "nav": "members"}
    return render(request, template, context)
