"""Invitations: sent from the Members page, and the page that their links open."""

from __future__ import annotations

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from editor.access import invitation_links, lookups
from editor.access.permissions import Permission
from editor.contexts.invitations import invitation_view, results_view
from editor.contexts.members import free_seats
from editor.errors import EditorError, InvalidInput, Unprocessable
from editor.gateway.requests import mail_origin, origin
from editor.models import Role, User
from editor.operations import invitations, joining
from editor.operations.joining import HasAccount
from editor.web import passkeys, sign_in_limits
from editor.web.decorators import MemberRequest, member
from editor.web.forms import members as forms
from editor.web.forms.members import InviteForm, JoinForm
from editor.web.htmx import is_fragment
from editor.web.second_factor import passkeys_work
from editor.web.views import members
from editor.web.views.home import BACKEND

NOT_CREATED = (
    "This did not work. If you have an account with this email already, use “Sign in and join” below."
)


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.MEMBERS_MANAGE)
def invite(request: MemberRequest) -> HttpResponse:
    """The form for new invitations; POST sends them. Addresses that were refused stay in the form."""
    if request.method != "POST":
        return _form(request, InviteForm())
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _form(request, form)
    data = form.cleaned_data
    try:
        found = invitations.invite(
            actor=request.actor,
            emails=forms.addresses(data["emails"]),
            role=Role(data["role"]),
            access_image_editor=data["access_image_editor"],
            monthly_cap=forms.cap(data["monthly_cap"]),
            message=data["message"],
            origin=mail_origin(request),
        )
    except InvalidInput as error:
        form.refuse(error)
        return _form(request, form)
    results = results_view(found, origin=origin(request))
    if results.refused:
        form = InviteForm({**data, "emails": "\n".join(one.email for one in results.refused)})
    return _form(request, form if results.refused else None, results=results)


@require_POST
@member(Permission.MEMBERS_MANAGE)
def count(request: MemberRequest) -> HttpResponse:
    """How many people the addresses in the form are, and the seats that are free."""
    people = len(forms.addresses(request.POST.get("emails", "")))
    return render(request, "settings/_invite_count.html", _counts(request, people))


@require_POST
@member(Permission.MEMBERS_MANAGE)
def send_again(request: MemberRequest, invitation_id: str) -> HttpResponse:
    """Mail the invitation again, and let it live longer."""
    row = lookups.invitation(request.actor, invitation_id)
    invitations.send_again(actor=request.actor, invitation=row, origin=mail_origin(request))
    if settings.SENDS_MAIL:
        return _done(request, f"Invitation to {row.email} sent again.")
    return _done(
        request,
        f"The link for {row.email} works for another {invitations.LIFE.days} days. Copy it, and pass it on.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.MEMBERS_MANAGE)
def revoke(request: MemberRequest, invitation_id: str) -> HttpResponse:
    """Ask whether to end the invitation; POST ends it."""
    row = lookups.invitation(request.actor, invitation_id)
    if request.method != "POST":
        in_dialog = is_fragment(request)
        template = "settings/_invitation_revoke.html" if in_dialog else "settings/member_confirm.html"
        return render(request, template, {"invitation": row, "in_dialog": in_dialog, "nav": "members"})
    invitations.revoke(actor=request.actor, invitation=row)
    return _done(request, f"Invitation to {row.email} revoked.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page that an invitation's link opens; POST joins, with a new account or the one signed in to."""
    opened = invitation_links.read(token)
    user = request.user if isinstance(request.user, User) else None
    if request.method != "POST":
        return _page(request, token, user, JoinForm())
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="invitation", key=token)
    if refused:
        return refused
    address, links = request.META.get("REMOTE_ADDR"), _mail_origin(request)
    if user:
        membership = joining.accept(opened=opened, user=user, origin=links, address=address)
        return redirect("studio", membership.workspace.slug)
    form = JoinForm(request.POST)
    if not form.is_valid():
        return _page(request, token, user, form)
    try:
        data = dict(form.cleaned_data)
        passkey = passkeys.read(request, opened.invitation.email) if data.pop("credential") else None
        user, membership = joining.sign_up(
            opened=opened, **data, passkey=passkey, origin=links, address=address
        )
    except EditorError as error:
        return _refused(request, token, form, error)
    login(request, user, backend=BACKEND)
    response = redirect("studio", membership.workspace.slug)
    sign_in_limits.remember(request, response, user)
    return response


def _mail_origin(request: HttpRequest) -> str:
    """For the mail to whoever invited, if the request of the invited person has a host that is known."""
    try:
        return mail_origin(request)
    except Unprocessable:
        return ""


@require_POST
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """End the invitation: it reached somebody who does not want it."""
    joining.decline(opened=invitation_links.read(token), address=request.META.get("REMOTE_ADDR"))
    return redirect(f"{reverse('invitation', args=[token])}?declined=1")


def _refused(request: HttpRequest, token: str, form: JoinForm, error: EditorError) -> HttpResponse:
    """The page with the reason why nobody joined."""
    problems = error.fields or {"": NOT_CREATED if isinstance(error, HasAccount) else error.message}
    for field, problem in problems.items():
        form.add_error(field if field in form.fields else None, problem)
    return _page(request, token, None, form)


def _page(request: HttpRequest, token: str, user: User | None, form: JoinForm) -> HttpResponse:
    """The page as the invitation is now. Its forms keep the token: only a mailed one confirms the address."""
    opened = invitation_links.read(token)
    view = invitation_view(opened, user=user)
    context = {
        "invitation": view,
        "form": form,
        "token": token,
        "passkeys_work": passkeys_work(request) and joining.may_use_passkey(opened),
    }
    is_open = view.state == "open" and view.as_whom != "member"
    return render(request, "auth/invitation.html" if is_open else "auth/invitation_ended.html", context)


def _form(request: MemberRequest, form: InviteForm | None, *, results: object = None) -> HttpResponse:
    """The form and what became of the last ones: in the page's dialog, or without script on a page."""
    people = len(forms.addresses(form["emails"].value() or "")) if form else 0
    context = {
        "form": form,
        "results": results,
        "in_dialog": is_fragment(request),
        "sends_mail": settings.SENDS_MAIL,
        "nav": "members",
        **_counts(request, people),
    }
    if is_fragment(request) and results:
        context["team"] = members.shown(request)
    template = "settings/_invite.html" if is_fragment(request) else "settings/invite.html"
    return render(request, template, context)


def _counts(request: MemberRequest, people: int) -> dict[str, int | None]:
    return {"people": people, "free": free_seats(request.actor)}


def _done(request: MemberRequest, message: str) -> HttpResponse:
    """The updated list, or without script the page."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("members", request.actor.workspace.slug)
    context = {"team": members.shown(request), "message": message}
    return render(request, "settings/_members_swap.html", context)
