"""Routes of the identity provider."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def enter(request: HttpRequest, name: str) -> HttpResponse:
    """Sign a person in without a password, for tests without a browser."""
    people: Any = get_user_model().objects
    user = people.get_by_natural_key(name)
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return HttpResponse("signed in")


urlpatterns = [
    path("enter/<str:name>/", enter),
    path("accounts/", include("allauth.account.urls")),
    path("", include("allauth.idp.urls")),
]
