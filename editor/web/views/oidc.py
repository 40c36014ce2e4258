"""Leaving for an identity provider, and coming back from it."""

from __future__ import annotations

from allauth.core import ratelimit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from requests import RequestException

from editor.errors import Unprocessable
from editor.web.oidc import PublicOAuth2Adapter


@never_cache
@require_POST
def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
    """A page that continues at the provider.

    It is no redirect, since the security policy applies form-action to the redirects after a form too.
    """
    refused: HttpResponse | None = ratelimit.consume_or_429(request, action="identity_provider")
    if refused:
        return refused
    try:
        response = OAuth2LoginView.adapter_view(PublicOAuth2Adapter(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (RequestException, OAuth2Error, KeyError, ValueError):
        raise Unprocessable("This provider does not respond as it should. Sign in in another way.") from None
    url = response["Location"]
    page = render(request, "socialaccount/leave.html", {"url": url})
    page["Refresh"] = f"0; url={url}"
    return page


@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        response: HttpResponseBase = OAuth2CallbackView.adapter_view(
            PublicOAuth2Adapter(request, provider_id)
        )(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return response
