"""Words of people within sentences, which are written from left to right."""

from __future__ import annotations

import unicodedata

_FIRST_STRONG_ISOLATE, _POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"  # Unicode Standard Annex 9
_RIGHT_TO_LEFT = {"R", "AL", "AN"}


def isolated(words: str) -> str:
    """In their own direction, as HTML's bdi does it, for texts without markup."""
    if not any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in words):
        return words
    return f"{_FIRST_STRONG_ISOLATE}{words}{_POP_DIRECTIONAL_ISOLATE}"
