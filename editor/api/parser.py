"""Strict parsing of request bodies, as in every API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from editor.gateway.strict_json import read_object


class StrictParser(Parser):
    """Accepts only an unambiguous JSON object."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises ValueError or RecursionError, which ninja turns into an HttpError with status 400."""
        return read_object(request.body)
