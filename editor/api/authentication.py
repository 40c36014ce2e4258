"""What a call's key must allow. Who calls was found out at the gate."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from editor.gateway.profile import Caller
from editor.gateway.requests import caller


class Needs(HttpBearer):
    """Lets a call in whose key has this scope. As ninja's, so that the document of the API tells of it."""

    openapi_bearerFormat = "flk_…"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    async def authenticate(self, request: HttpRequest, token: str) -> Caller:
        found = caller(request)
        found.require(self.scope)
        return found


READ = Needs("image_editor:read")
WRITE = Needs("image_editor:write")
