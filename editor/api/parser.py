"""Reading JSON strictly: what another reader might understand differently is refused."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Refuses NaN and Infinity, repeated names, NUL and halves of characters, and what is no object."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises ValueError or RecursionError; ninja makes an HttpError of status 400 of them."""
        body = json.loads(request.body, parse_constant=_refuse, object_pairs_hook=_once)
        _check(body)
        if not isinstance(body, dict):
            raise ValueError("no object")
        return cast(dict[str, Any], body)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _check(value: Any) -> None:
    """Raise ValueError for text that cannot be stored. As deep as the parser went, so no deeper."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("NUL")
        value.encode()  # fails for a half of a surrogate pair
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
