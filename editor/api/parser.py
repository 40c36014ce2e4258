"""Bodies are read strictly, as at every door for programs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from editor.gateway.strict_json import read_object


class StrictParser(Parser):
    """Takes a JSON object that nobody could understand differently."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises ValueError or RecursionError; ninja makes an HttpError of status 400 of them."""
        return read_object(request.body)
