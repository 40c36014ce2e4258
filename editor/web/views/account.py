"""The account page: a person's name, email, ways to sign in, sessions and appearance."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core.internal import ratelimit
from allauth.socialaccount.forms import DisconnectForm
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from editor.access import lookups, proofs
from editor.contexts import account
from editor.errors import EditorError, InvalidInput, LimitExceeded
from editor.gateway.requests import mail_origin
from editor.mail_addresses import normalized
from editor.models import User
from editor.operations import people, sessions
from editor.queries import members
from editor.web import choices, passkeys
from editor.web.forms.profile import AppearanceForm, ProfileForm, zone_choices
from editor.web.htmx import is_fragment
from editor.web.second_factor import passkeys_work

RATES = {"password": "10/5m/user", "mail": "10/h/user,5/15m/key", "passkey_options": "60/m/ip"}


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Change the name now, and the email once its new address is confirmed."""
    user = _user(request)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    email = normalized(form.cleaned_data["email"])
    if email != user.email:
        # Whoever reads the mail can set a new password.
        raise_if_reauthentication_required(request, app="allauth.account")
        _limit(request, "mail", email)
        people.request_email(user=user, email=email, origin=mail_origin(request))
        messages.success(request, _link_sent(email))
    if form.cleaned_data["name"] != user.name:
        people.rename(user=user, name=form.cleaned_data["name"])
        messages.success(request, "Saved.")
    return redirect("account")


@require_POST
@login_required
def email_action(request: HttpRequest) -> HttpResponse:
    """Send the link again, for the new or the present email; or keep the present one."""
    user = _user(request)
    if "keep" in request.POST:
        people.keep_email(user=user)
        messages.success(request, f"Your email stays {user.email}.")
        return redirect("account")
    email = user.pending_email or user.email
    _limit(request, "mail", email)
    people.request_email(user=user, email=email, origin=mail_origin(request))
    messages.success(request, _link_sent(email))
    return redirect("account")


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The page that the link in the mail opens. A button confirms: some mail servers open all links."""
    user = _user(request)
    email = proofs.read_email(token, user=user)
    if request.method == "POST":
        people.confirm_email(user=user, email=email, address=_address(request))
        messages.success(request, f"{email} is confirmed.")
        return redirect("account")
    return render(request, "account/email_confirm.html", {"email": email})


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out another device."""
    sessions.end(user=_user(request), session_id=session_id, address=_address(request))
    return _sessions(request)


@require_POST
@login_required
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here, with the password."""
    _confirm(request)
    user, key = _user(request), request.session.session_key
    sessions.end_all(user=user, actor=user, but=key, address=_address(request))
    return _sessions(request)


@require_POST
@login_required
def appearance(request: HttpRequest) -> HttpResponse:
    """Remember the theme in this browser, and the time zone for the account."""
    form = AppearanceForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("Choose a theme and a time zone from the lists.")
    people.set_time_zone(user=_user(request), name=form.cleaned_data["zone"])
    response = redirect("account")
    choices.remember(request, response, "theme", form.cleaned_data["theme"])
    choices.remember(request, response, "zone", form.cleaned_data["zone"])
    return response


@require_POST
@login_required
def mail(request: HttpRequest) -> HttpResponse:
    """Which mails the person gets."""
    people.set_approval_mails(user=_user(request), wanted="approval_mails" in request.POST)
    messages.success(request, "Saved.")
    return redirect("account")


@require_POST
@login_required
def disconnect(request: HttpRequest) -> HttpResponse:
    """No longer sign in with an account of an identity provider."""
    form = DisconnectForm(request.POST, request=request)
    if not form.is_valid():
        raise InvalidInput(" ".join(problem for problems in form.errors.values() for problem in problems))
    form.save()
    return redirect("account")


@require_POST
@login_required
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the account, with the password."""
    _confirm(request)
    user = _user(request)
    people.remove_self(user=user)
    logout(request)
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("account_deleted")})
    return redirect("account_deleted")


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "account/deleted.html")


@never_cache
@require_GET
def passkey_options(request: HttpRequest, purpose: str) -> JsonResponse:
    """For the browser's dialog; see static/js/passkeys.js."""
    _limit(request, "passkey_options")
    return JsonResponse(passkeys.options(request, purpose))


def _page(request: HttpRequest, form: ProfileForm | None = None, status: int = 200) -> HttpResponse:
    user = _user(request)
    _show_a_workspace(request, user)
    context = {
        "view": account.account(user, session_key=request.session.session_key),
        "form": form or ProfileForm(initial={"name": user.name, "email": user.email}),
        "zones": zone_choices(),
        "passkeys_work": passkeys_work(request),
        "sends_mail": settings.SENDS_MAIL,
        "nav": "account",
    }
    return render(request, "account/account.html", context, status=status)


def _link_sent(email: str) -> str:
    if settings.SENDS_MAIL:
        return f"We sent a link to {email}. Open it to confirm the email."
    return f"An operator finds the link for {email} in the portal's log. Open it to confirm the email."


def _sessions(request: HttpRequest) -> HttpResponse:
    if not is_fragment(request):
        return redirect("account")
    user = _user(request)
    rows = account.session_rows(user, session_key=request.session.session_key)
    context = {"sessions": rows, "has_password": user.has_usable_password()}
    return render(request, "account/_sessions.html", context)


def _show_a_workspace(request: HttpRequest, user: User) -> None:
    """The page belongs to no workspace; its top bar shows the first one that the user has access to."""
    for workspace in members.workspaces_of(user)[:1]:
        try:
            request.actor = lookups.actor(user, workspace.slug, address=_address(request))  # type: ignore[attr-defined]
        except EditorError:
            return


def _confirm(request: HttpRequest) -> None:
    """Ask for the password again, or, of users without one, for a second factor."""
    user = _user(request)
    if not user.has_usable_password():
        raise_if_reauthentication_required(request, app="allauth.account")
        return
    _limit(request, "password")
    if not user.check_password(request.POST.get("password", "")):
        raise InvalidInput("The password is wrong.")


def _limit(request: HttpRequest, action: str, key: str = "") -> None:
    limited = {"app": "editor", "action": action, "config": RATES, "key": key, "limit_get": True}
    if not ratelimit.consume(request, **limited):
        raise LimitExceeded("You tried this too many times. Wait a few minutes, then try again.")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _address(request: HttpRequest) -> str:
    address: str = get_adapter().get_client_ip(request)
    return address
