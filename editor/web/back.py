"""Redirect targets of forms that are sent without script."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme


def next_url(request: HttpRequest) -> str:
    """The form's `next` if it is a page of this portal; empty otherwise."""
    return own_url(request, request.POST.get("next", ""))


def own_url(request: HttpRequest, url: str) -> str:
    """The URL, encoded for a header, if it is a page of this portal; empty otherwise.

    Only absolute URLs and absolute paths: Django would resolve others as view names.
    """
    own = {request.get_host(), urlsplit(settings.BASE_URL).netloc}
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts=own, require_https=request.is_secure())
    rooted = url.startswith(("/", "http://", "https://"))
    return (iri_to_uri(url) or "") if safe and rooted else ""
