"""Typed reading of one TOML table, recording every problem instead of stopping at the first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

Word = TypeVar("Word")


class Table:
    """Reads the values of one table by type and finally reports the keys that were not read.

    where     how problems name the table, e.g. "models/flux.toml: inputs 'steps'"
    values    the table in the file
    problems  the loader's list, shared by all tables; each entry is "where: key: what is wrong"

    A wrong or missing value is recorded and a placeholder returned: check `sound` before relying on it.
    """

    def __init__(self, where: str, values: Mapping[str, Any], problems: list[str]) -> None:
        self.where = where
        self.sound = True
        self._values = values
        self._problems = problems
        self._read: set[str] = set()

    def problem(self, key: str, what: str) -> None:
        self.sound = False
        self._problems.append(f"{self.where}: {key}: {what}")

    def text(self, key: str, *, default: str | None = None, empty: bool = False) -> str:
        """Text; not empty unless `empty` allows it."""
        value = self._value(key, default)
        if not isinstance(value, str):
            self._wrong(key, "must be text")
            return ""
        if not value.strip() and not empty and value != default:
            self.problem(key, "must not be empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty if the key is left out."""
        value = self._value(key, [])
        if not _are_texts(value):
            self._wrong(key, "must be a list of texts, none of them empty")
            return ()
        return tuple(value)

    def texts_by_name(self, key: str) -> dict[str, tuple[str, ...]]:
        """A table of lists of strings; empty if the key is left out."""
        value = self._value(key, {})
        if not isinstance(value, dict) or not all(_are_texts(texts) for texts in value.values()):
            self._wrong(key, "must be a table of lists of texts, none of them empty")
            return {}
        return {name: tuple(texts) for name, texts in value.items()}

    def word(self, key: str, words: tuple[Word, ...]) -> Word:
        """One of the given values."""
        value = self._value(key, None)
        if value not in words:
            self._wrong(key, f"must be one of {', '.join(map(str, words))}, not {value!r}")
            return words[0]
        return words[words.index(value)]

    def whole(self, key: str, *, default: int | None = None, minimum: int) -> int:
        """An integer of at least `minimum`; the default may be lower."""
        value = self._value(key, default)
        if not _is_number(value) or not isinstance(value, int):
            self._wrong(key, "must be a whole number")
            return minimum
        if key in self._values and value < minimum:
            self.problem(key, f"must be at least {minimum}, not {value}")
        return value

    def number(self, key: str) -> float | None:
        """A finite number; None if the key is left out."""
        value = self._value(key, None)
        if value is not None and not _is_number(value):
            self._wrong(key, "must be a number")
            return None
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """A boolean."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "must be true or false")
            return False
        return value

    def scalar(self, key: str) -> str | int | float:
        """Text or a finite number, as it is in the file."""
        value = self._value(key, None)
        if isinstance(value, str) or _is_number(value):
            return value
        self._wrong(key, "must be text or a number")
        return ""

    def tables(self, key: str, *, named_by: str, optional: bool = False) -> tuple[Table, ...]:
        """A list of tables; problems identify each by its key `named_by`, or by its number."""
        value = self._value(key, [] if optional else None)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(key, "must be a list of tables")
            return ()
        if not value and not optional:
            self.problem(key, "must not be empty")
        return tuple(
            Table(f"{self.where}: {key} {item.get(named_by, number)!r}", item, self._problems)
            for number, item in enumerate(value, start=1)
        )

    def finish(self) -> None:
        """Call last: keys that were never read are misspelt or do not exist."""
        for key in sorted(set(self._values) - self._read):
            self.problem(key, "is not a key that belongs here")

    def _value(self, key: str, default: object) -> Any:
        self._read.add(key)
        return self._values.get(key, default)

    def _wrong(self, key: str, what: str) -> None:
        self.problem(key, what if key in self._values else "is missing")


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
