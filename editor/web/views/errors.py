"""Responses of Django's own checks, as a page or, for htmx, beside the control that sent the request."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.middleware import csrf
from django.template.loader import render_to_string
from django.views import defaults

from editor import disk, retry_after
from editor.errors import DiskFull, InvalidInput, NotFound, PermissionDenied
from editor.web.htmx import error_response, is_fragment

OUT_OF_DATE = (
    "This page is out of date, for example because you signed in again in another tab. "
    "Reload the page and try again."
)
NO_COOKIE = (
    "Your browser sent no cookie, which this portal needs. Allow cookies for this site and reload the page."
)
WRONG_ORIGIN = (
    "This portal does not accept forms from the address in your address bar. "
    "An operator must set BASE_URL to the address that people open."
)
NOT_FOUND = "This no longer exists, or it belongs to a workspace you are not a member of. Reload the page."


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 with what the person, or the operator, can do about the reason.

    With a token that is merely out of date, the response to htmx has a new one in X-CSRFToken: app.js
    repeats the request with it.
    """
    message = OUT_OF_DATE
    if reason == csrf.REASON_NO_CSRF_COOKIE:
        message = NO_COOKIE
    elif reason.startswith(("Origin checking failed", "Referer checking failed")):
        message = WRONG_ORIGIN
    response = error_response(request, PermissionDenied(message))
    if message == OUT_OF_DATE and is_fragment(request):
        response["X-CSRFToken"] = csrf.get_token(request)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_fragment(request):
        return error_response(request, InvalidInput("The portal could not understand this request."))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_fragment(request):
        return error_response(request, PermissionDenied("You do not have permission to do this."))
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_fragment(request):
        return error_response(request, NotFound(NOT_FOUND))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for unexpected errors; a full disk is reported as such, wherever it occurred."""
    if not disk.is_cause(sys.exc_info()[1]):
        return defaults.server_error(request)
    # Without the request: the database may not be able to load its user now.
    error = DiskFull()
    template = "studio/_error.html" if is_fragment(request) else "error.html"
    page = render_to_string(template, {"error": error.message})
    return HttpResponse(page, status=error.status, headers=retry_after.headers(error))
