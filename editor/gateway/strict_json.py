"""Reading JSON strictly: what another reader might understand differently is refused."""

from __future__ import annotations

import json
from typing import Any, cast

# A parser makes a hundred bytes of each `[],`, and nothing else runs in the process meanwhile.
MOST_COMMAS = 100_000
DEEPEST = 100  # levels; what a parser takes at its own limit may be too deep for whoever writes it again


def read_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in a request's body.

    Refuses NaN and Infinity, repeated names, NUL and halves of characters, what is no object,
    what is too deep, and what has so many values that to read them would keep others waiting.
    Raises ValueError or RecursionError.
    """
    if (raw.count(",") if isinstance(raw, str) else raw.count(b",")) > MOST_COMMAS:
        raise ValueError("too many values")
    body = json.loads(raw, parse_constant=_refuse, object_pairs_hook=_once)
    check_text(body)
    if not isinstance(body, dict):
        raise ValueError("no object")
    return cast(dict[str, Any], body)


def check_text(value: Any, *, levels: int = DEEPEST) -> None:
    """Raise ValueError for text that cannot be stored, and for more levels of lists and objects than that."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("NUL")
        value.encode()  # fails for a half of a surrogate pair
    elif isinstance(value, dict | list):
        if levels == 0:
            raise ValueError("too deep")
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            check_text(item, levels=levels - 1)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found
