"""Sign-up, if the operator allows it.

With a mail server it starts with a link sent to the address: the public page then says the same about every
address, and nobody gets an account with somebody else's. Without one, the account is created immediately.
"""

from __future__ import annotations

from allauth.account import views as library
from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import proofs
from editor.errors import EditorError
from editor.mail_addresses import normalized
from editor.models import User, Workspace
from editor.operations import people, workspaces
from editor.web import passkeys, sign_in_limits
from editor.web.forms.account import AddressForm, NewPasswordForm
from editor.web.second_factor import passkeys_work
from editor.web.views.home import BACKEND


@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Request an account: by mail, or immediately if there is no mail server."""
    if not settings.SENDS_MAIL:
        page: HttpResponse = library.signup(request)
        return page
    if request.user.is_authenticated:
        return redirect("home")
    if not get_adapter().is_open_for_signup(request):
        return render(request, "account/signup_closed.html")
    form = AddressForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/signup_by_mail.html", {"form": form})
    email = normalized(form.cleaned_data["email"])
    if not people.may_sign_up(email):
        form.add_error("email", people.OTHER_DOMAIN)
        return render(request, "account/signup_by_mail.html", {"form": form})
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="signup_mail", key=email)
    if refused:
        return refused
    form.save(request)
    return redirect("sign_up_sent")


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "account/signup_sent.html")


@never_cache
@require_http_methods(["GET", "POST"])
def finish(request: HttpRequest, token: str) -> HttpResponse:
    """The page that the link in the mail opens: creates the account. Raises NotFound for a wrong link."""
    email = proofs.read(token)
    if not get_adapter().is_open_for_signup(request) or not people.may_sign_up(email):
        return render(request, "account/signup_closed.html")
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, workspace = _create(request, email, form)
        except EditorError as error:
            for field, problem in (error.fields or {"": error.message}).items():
                form.add_error(field if field in form.fields else None, problem)
        else:
            login(request, user, backend=BACKEND)
            response = redirect("studio", workspace.slug)
            sign_in_limits.remember(request, response, user)
            return response
    context = {"form": form, "email": email, "passkeys_work": passkeys_work(request)}
    return render(request, "account/signup_finish.html", context)


@transaction.atomic
def _create(request: HttpRequest, email: str, form: NewPasswordForm) -> tuple[User, Workspace]:
    """The account with its confirmed email, and its workspace."""
    passkey = passkeys.read(request, email) if form.cleaned_data["credential"] else None
    user, workspace = workspaces.sign_up(email=email, password=form.cleaned_data["password"], passkey=passkey)
    people.confirm_email(user=user, email=email)
    return user, workspace
