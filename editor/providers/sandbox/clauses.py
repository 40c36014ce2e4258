"""Shared by the rules: patterns for colours, places and numbers, and parsing of a clause."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable

from editor.providers.sandbox import vocabulary
from editor.providers.sandbox.operations import Rgb, Spot

# Delimit placeholders for a prompt's quoted texts, so that those are not parsed.
_OPEN, _CLOSE = "\ue000", "\ue001"
QUOTE = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


_SHADE = "|".join(vocabulary.SHADES)
_NAME = "|".join(sorted(vocabulary.COLOURS, key=len, reverse=True))
COLOUR = rf"(?:(?:(?:{_SHADE}) ){{0,2}}(?:{_NAME})|#[0-9a-f]{{6}}|#[0-9a-f]{{3}})"
NUMBER = r"[0-9]{1,5}(?:\.[0-9]{1,3})?"
PIXELS = r"(?: ?(?:px|pixels?))"
RATIO = rf"(?P<ratio>[0-9]{{1,2}}[:x][0-9]{{1,2}}|{'|'.join(vocabulary.NAMED_RATIOS)})"
_V, _H = "|".join(vocabulary.VERTICALS), "left|right|centre|middle"
_SPOT = re.compile(
    rf"(?:\b(?:at|in|on|to|near|into|onto|along)(?: very)? )?"
    rf"\b(?:(?P<v>{_V})(?:[ -](?P<h>{_H}))?|(?P<side>left|right))\b"
    rf"(?: ?-?hand)?(?: (?:corner|edge|side|part|third|half))?(?: of(?: image1)?$)?"
)


def placeholder(index: int) -> str:
    return f" {_OPEN}{index}{_CLOSE} "


class Particulars:
    """A clause from which details are extracted one by one."""

    def __init__(self, clause: str) -> None:
        self.rest = clause

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        match = re.search(pattern, self.rest)
        if match is not None:
            self.rest = f"{self.rest[: match.start()]} {self.rest[match.end() :]}"
        return match

    def take_word(self, words: Iterable[str]) -> str | None:
        match = self.take(rf"\b({'|'.join(words)})\b")
        return match[1] if match is not None else None

    def take_colour(self) -> Rgb | None:
        match = self.take(rf"(?:\bin )?(?<![\w-])({COLOUR})(?![\w-])")
        return colour(match[1]) if match is not None else None

    def take_spot(self, default: Spot) -> Spot:
        match = self.take(_SPOT)
        if match is None:
            return default
        if match["side"]:
            return Spot("centre", vocabulary.HORIZONTALS[match["side"]])
        horizontal = vocabulary.HORIZONTALS[match["h"]] if match["h"] else "centre"
        return Spot(vocabulary.VERTICALS[match["v"]], horizontal)

    def only(self, words: frozenset[str]) -> bool:
        """Whether only these words are left."""
        return words.issuperset(self.rest.split())


def colour(words: str) -> Rgb:
    """The colour of a phrase that `COLOUR` matched: "dark blue", "#fa0"."""
    if words.startswith("#"):
        digits = words[1:] if len(words) > len("#fff") else "".join(digit * 2 for digit in words[1:])
        return (int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))
    *shades, name = words.split()
    red, green, blue = (part / 255 for part in vocabulary.COLOURS[name])
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    for shade in shades:
        saturation_factor, value_factor = vocabulary.SHADES[shade]
        saturation = min(1.0, saturation * saturation_factor)
        value = min(1.0, value * value_factor)
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(red * 255), round(green * 255), round(blue * 255))


def take_strength(clause: str) -> tuple[str, float]:
    """The clause without words like "slightly", and their combined strength."""
    strength = 1.0
    for words, factor in vocabulary.STRENGTHS.items():
        clause, count = re.subn(rf"\b(?:{words})\b", " ", clause)
        strength *= factor if count else 1.0
    return " ".join(clause.split()), strength
