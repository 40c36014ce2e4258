"""Scopes that calls need. The gateway middleware has already authenticated the caller."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from editor.access import scopes
from editor.gateway.profile import Caller
from editor.gateway.requests import caller


class Needs(HttpBearer):
    """Requires a scope of the key. Ninja's class, so that the OpenAPI document lists it."""

    openapi_bearerFormat = "flk_…"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    async def authenticate(self, request: HttpRequest, token: str) -> Caller:
        found = caller(request)
        found.require(self.scope)
        return found


READ = Needs(scopes.READ)
WRITE = Needs(scopes.WRITE)
MANAGE = Needs(scopes.MANAGE)
