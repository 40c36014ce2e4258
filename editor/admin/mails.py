"""Previews of all mails for operators, and a test of the mail server."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import admin, messages
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from editor.contexts import mails
from editor.gateway.requests import origin
from editor.models import User
from editor.operations.mails import Kind, send_sample


def urls() -> list[URLPattern]:
    view: Any = admin.site.admin_view
    return [
        path("", view(listing), name="mails"),
        path("<slug:name>/", view(preview), name="mail"),
        path("<slug:name>/html/", view(html), name="mail_html"),
    ]


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All kinds of mails, with their subjects."""
    kinds = [(kind.value, _sample(request, kind).subject) for kind in Kind]
    context = {**admin.site.each_context(request), "title": "Mails", "kinds": kinds}
    return render(request, "admin/mails/list.html", context)


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, name: str) -> HttpResponse:
    """One mail with invented values; POST sends it to the operator."""
    kind = _kind(name)
    assert isinstance(request.user, User)
    if request.method == "POST" and settings.SENDS_MAIL:
        send_sample(kind=kind, email=request.user.email, origin=origin(request))
        messages.success(request, f"The mail to {request.user.email} waits to be sent.")
        return redirect("mail", name)
    context = {
        **admin.site.each_context(request),
        "title": "Mail",
        "name": name,
        "mail": _sample(request, kind),
        "sender": settings.DEFAULT_FROM_EMAIL,
        "sends_mail": settings.SENDS_MAIL,
    }
    return render(request, "admin/mails/preview.html", context)


# A mail has its styles inline. It gets nothing else: no script, image or form.
@csp(  # type: ignore[arg-type]
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "frame-ancestors": [SELF],
        "sandbox": [""],
    }
)
@xframe_options_sameorigin
@require_safe
def html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of a mail, for the frame in its preview."""
    return HttpResponse(_sample(request, _kind(name)).alternatives[0][0])


def _sample(request: HttpRequest, kind: Kind) -> EmailMultiAlternatives:
    assert isinstance(request.user, User)
    return mails.sample(kind=kind, email=request.user.email, origin=origin(request))


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise Http404 from None
