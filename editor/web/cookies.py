"""Cookies with a person's choices, which every page reads without a query."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

A_YEAR = 31_536_000  # seconds


def remember(request: HttpRequest, response: HttpResponseBase, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=A_YEAR, samesite="Lax", secure=request.is_secure())
