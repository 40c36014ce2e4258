"""One rule for each kind of instruction: a tidied clause in, an operation or None out.

A rule matches a clause only if it understands every word of it. So nothing matches "make the
cup bright blue": no rule knows what a cup is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from editor.providers.sandbox import shapes, vocabulary
from editor.providers.sandbox.clauses import COLOUR, NUMBER, QUOTE, Particulars, colour, take_strength
from editor.providers.sandbox.operations import (
    Caption,
    Look,
    Operation,
    Place,
    Recolour,
    SideBySide,
    Spot,
    Tint,
)

LONGEST_TEXT = 500  # characters of one caption
PERCENT_OF_A_STEP = 35  # "brighter" without a number means this many percent
MIDDLE = Spot("centre", "centre")


def apply(clause: str, quotes: list[str]) -> Operation | None:
    """The operation of the first rule that matches the whole clause."""
    if QUOTE.search(clause):
        return caption(clause, quotes)
    for rule in _RULES:
        operation = rule(clause)
        if operation is not None:
            return operation
    return None


def caption(clause: str, quotes: list[str]) -> Caption | None:
    parts = Particulars(clause)
    match = parts.take(QUOTE)
    text = quotes[int(match[1])].strip() if match is not None else ""
    if not text or len(text) > LONGEST_TEXT:
        return None
    strip = parts.take(rf"\bon (?:({COLOUR}) )?(?:background|banner|bar|box|strip)\b")
    size = parts.take_word(vocabulary.TEXT_SIZES)
    spot = parts.take_spot(Spot("bottom", "centre"))
    ink = parts.take_colour()
    if not parts.only(vocabulary.CAPTION_WORDS):
        return None
    return Caption(
        text=text,
        spot=spot,
        colour=ink,
        strip=None if strip is None else colour(strip[1] or "black"),
        size=vocabulary.TEXT_SIZES[size] if size else 1.0,
    )


def place(clause: str) -> Place | SideBySide | None:
    parts = Particulars(clause)
    if parts.take(r"\b(?:side by side|next to each other|(?:next to|beside) image1)\b"):
        return SideBySide() if parts.only(vocabulary.BESIDE_WORDS) else None
    target = parts.take(r"\b(?:onto|on top of|into|over|on|to|in|of) image([0-9]+)$")
    lower = target or parts.take(r"\b(?:onto|on top of|into|over|on|to|of) image([0-9]+)\b")
    upper = parts.take(r"\bimage([0-9]+)\b")
    if upper is None:
        # "overlay image 2": the only image mentioned is the upper one.
        upper, lower = lower, None
    if upper is None:
        return None
    spot = parts.take_spot(MIDDLE)
    size = parts.take_word(vocabulary.PLACE_SIZES)
    image, onto = int(upper[1]), int(lower[1]) if lower is not None else 1
    if not parts.only(vocabulary.PLACE_WORDS) or image == onto or not image or not onto:
        return None
    return Place(image=image, onto=onto, spot=spot, width=vocabulary.PLACE_SIZES[size or "medium"])


_PARTS = r" (?:parts?|areas?|bits?|tones?|colours?|pixels?|regions?|shades?|things?|ones?)"
_RECOLOUR = [
    re.compile(
        rf"(?:[a-z]+ )?(?P<source>{COLOUR})s?(?:{_PARTS})?"
        rf"(?: (?:in ?to|to|as|be)| ?(?:->|→)) (?P<target>{COLOUR})s?"
    ),
    re.compile(
        rf"(?:make|turn|change|colour|recolour|paint) (?P<source>{COLOUR})(?:s|{_PARTS})"
        rf" (?P<target>{COLOUR})"
    ),
    re.compile(
        rf"(?:replace|swap|exchange|substitute) (?P<source>{COLOUR})s?(?:{_PARTS})?"
        rf" (?:with|by|for) (?P<target>{COLOUR})s?"
    ),
]
_RECOLOUR_VERBS = vocabulary.words(
    "make turn change convert colour recolour paint shift dye replace swap exchange substitute from"
)


def recolour(clause: str) -> Recolour | None:
    for pattern in _RECOLOUR:
        match = pattern.fullmatch(clause)
        if match is None:
            continue
        first = clause.split(maxsplit=1)[0]
        if match.start("source") and first not in _RECOLOUR_VERBS:
            return None
        shades = match["source"].split()[:-1]
        return Recolour(
            source=colour(match["source"]),
            target=colour(match["target"]),
            darkest=130 if "light" in shades or "pale" in shades else 0,
            brightest=140 if "dark" in shades or "deep" in shades else 255,
        )
    return None


_TINT = re.compile(
    rf"(?:(?:tint|wash|tone)(?: in| with| to)? (?P<a>{COLOUR})"
    rf"|(?:(?:add|apply|give|put|with|use|in) )?(?P<b>{COLOUR}) (?:tint|cast|tone|wash|overlay|hue|filter)"
    rf"|(?:make|turn|colour)(?: more)? (?P<c>{COLOUR}))"
)


def tint(clause: str) -> Tint | None:
    clause, strength = take_strength(clause)
    match = _TINT.fullmatch(clause)
    if match is None:
        return None
    words = match["a"] or match["b"] or match["c"]
    if words.split()[-1] in vocabulary.NEUTRALS:
        return None
    return Tint(colour(words), strength)


_PERCENT = re.compile(rf"(?:\bby )?({NUMBER}) ?(?:%|percent)")


def look(clause: str) -> Look | None:
    """A tone or effect by name, with words for more or less of it."""
    parts = Particulars(clause)
    percent = parts.take(_PERCENT)
    rest, strength = take_strength(parts.rest)
    name = _look_name(rest.split())
    if name is None:
        return None
    if percent is not None:
        if name not in vocabulary.MEASURED_LOOKS:
            return None
        strength = float(percent[1]) / PERCENT_OF_A_STEP
    return Look(name, strength)


_KEEP = re.compile(
    rf"(?:keep|keeping|preserve|preserving)(?: same| original)? (?:{'|'.join(vocabulary.KEPT)})"
    r"(?: unchanged| intact)?"
)
_TRAIT_LEAD = re.compile(r"^(?:with|in|on) ")


def adds_nothing(clause: str, before: Iterable[Operation]) -> bool:
    """Whether the clause describes what happens anyway: a trait of an earlier look in the prompt, or
    keeping what the sandbox never changes."""
    if _KEEP.fullmatch(clause):
        return True
    trait = _TRAIT_LEAD.sub("", clause)
    return any(
        isinstance(operation, Look) and trait in vocabulary.TRAITS.get(operation.name, ())
        for operation in before
    )


def _look_name(words: list[str]) -> str | None:
    """The look between words that merely introduce or follow a look."""
    first = 0
    while True:
        last = len(words)
        while last > first:
            name = vocabulary.LOOK_BY_PHRASE.get(" ".join(words[first:last]))
            if name is not None:
                return name
            if words[last - 1] not in vocabulary.TRAIL:
                break
            last -= 1
        if first >= len(words) or words[first] not in vocabulary.LEAD:
            return None
        first += 1


_RULES: tuple[Callable[[str], Operation | None], ...] = (
    look,
    recolour,
    place,
    shapes.rotate,
    shapes.flip,
    shapes.crop,
    shapes.pad,
    shapes.resize,
    shapes.border,
    tint,
)
