"""The home page, first start, theme and health checks."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from editor.errors import EditorError
from editor.models import User
from editor.operations import workspaces
from editor.queries import members, readiness
from editor.web import choices, passkeys, sign_in_limits
from editor.web.back import own_url
from editor.web.context_processors import THEMES
from editor.web.forms.welcome import WelcomeForm
from editor.web.second_factor import passkeys_work
from editor.web.views.workspaces import page as workspaces_page

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the welcome page, sign-in or the Studio; the page of workspaces for a member of none."""
    if not isinstance(request.user, User):
        return redirect("welcome" if workspaces.needs_first_start() else "account_login")
    own = members.workspaces_of(request.user)
    if not own:
        return workspaces_page(request)
    return redirect("studio", own[0].slug)


@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Create the very first account and its workspace; afterwards this page redirects home."""
    if not workspaces.needs_first_start():
        return redirect("home")
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            data = dict(form.cleaned_data)
            passkey = passkeys.read(request, data["email"]) if data.pop("credential") else None
            user, workspace = workspaces.first_start(**data, passkey=passkey)
        except EditorError as error:
            for field, problem in (error.fields or {"": error.message}).items():
                form.add_error(field if field in form.fields else None, problem)
        else:
            login(request, user, backend=BACKEND)
            response = redirect("setup", workspace.slug)
            sign_in_limits.remember(request, response, user)
            return response
    context = {"form": form, "passkeys_work": passkeys_work(request)}
    return render(request, "auth/welcome.html", context, status=400 if form.errors else 200)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or auto in a cookie, and go back."""
    response = redirect(own_url(request, request.headers.get("Referer", "")) or "home")
    chosen = request.POST.get("theme", "auto")
    choices.remember(request, response, "theme", chosen if chosen in THEMES else "auto")
    return response


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """200 while the process serves; makes no database query."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def ready(request: HttpRequest) -> JsonResponse:
    """200 while requests can be fully served; otherwise 503 and what is failing."""
    failing = readiness.failing()
    return JsonResponse({"ready": not failing, "failing": failing}, status=503 if failing else 200)
