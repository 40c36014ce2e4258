"""Strict JSON parsing: rejects input that other parsers might read differently."""

from __future__ import annotations

import json
from typing import Any, cast

# Each `[],` takes a hundred bytes when parsed, and parsing blocks the process.
MOST_COMMAS = 100_000
DEEPEST = 100  # levels; what a parser accepts at its own limit may be too deep to serialize


def read_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object in a request's body.

    Rejects NaN and Infinity, repeated names, NUL and lone surrogates, non-objects, deep nesting,
    and so many values that parsing them would block others.
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
    """Raise ValueError for text that cannot be stored, and for lists and objects nested too deeply."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("NUL")
        value.encode()  # fails for a lone surrogate
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
