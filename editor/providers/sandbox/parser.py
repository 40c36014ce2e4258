"""Parses a prompt in plain English into operations. Pure.

A prompt is split into clauses (never inside quotes), filler is dropped, and each clause must
then match one of the rules in `rules.py` completely. If one does not, the whole prompt is
refused: half an edit is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from editor.providers.sandbox import clauses, rules, samples, vocabulary
from editor.providers.sandbox.errors import Refused, not_understood
from editor.providers.sandbox.operations import (
    WHOLE_CANVAS,
    Look,
    Operation,
    Place,
    SideBySide,
)
from editor.providers.sandbox.traced import Traced

MOST_OPERATIONS = 20
LONGEST_CLAUSE = 300  # characters, quoted text not counted
FEWEST_SIDE_BY_SIDE = 2

_QUOTED = re.compile(
    r"""
      " ([^"]*) "
    | [“„] ([^“”„"]*) [”“"]
    | « ([^«»]*) »
    | (?<!\w) ['\u2018] (.{1,300}?) ['\u2019] (?!\w)   # an apostrophe inside a word neither opens nor closes
    | [\ue000\ue001]   # delimit placeholders, and have no meaning in a prompt
    """,
    re.VERBOSE | re.DOTALL,
)
# Separates clauses. Excludes the comma or point inside a number.
_BREAK = re.compile(r"[;!\n]|,(?!\d)|\.(?!\d)|&|\+|\b(?:and|then|plus)\b", re.IGNORECASE)
_TRAILING_CLAUSE = re.compile(r"[,;]")
_IMAGE_WORD = r"(?:images?|photos?|photographs?|pictures?|pics?|imgs?)"
_REWRITES = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        *vocabulary.SPELLINGS.items(),
        (rf"\b(?:first|1st) {_IMAGE_WORD}\b", "image1"),
        (rf"\b(?:second|2nd|other) {_IMAGE_WORD}\b", "image2"),
        (rf"\b(?:third|3rd) {_IMAGE_WORD}\b", "image3"),
        (rf"\b{_IMAGE_WORD} ?(?:number |no\.? ?)?#?([0-9]{{1,2}})\b", r"image\1"),
        (r"\b(image[0-9]+)\s*(?:and|&|\+)\s*(image[0-9]+)\b", r"\1 \2"),
        (r"\b([0-9]{1,2})\s*:\s*([0-9]{1,2})\b", r"\1:\2"),
        (r"\b([0-9]{1,5})\s*(?:px\s*)?(?:x|\u00d7|\bby\b)\s*([0-9]{1,5})\b", r"\1x\2"),
        (r"[()\[\]?]", " "),
    )
]


@dataclass(frozen=True, slots=True)
class Poster:
    """The result of a prompt without an image: a typographic poster with looks applied to it."""

    text: str
    looks: tuple[Look, ...] = ()


def parse(
    prompt: str, *, images: int, masked: bool = False, written: str | None = None
) -> tuple[Operation, ...]:
    """The operations in the prompt, in order; none for an empty prompt.

    images   how many images came with the prompt
    masked   whether a mask limits the edit
    written  the part of the prompt that the person wrote, without that of presets; None: all of it

    Raises Refused, and nothing else.
    """
    prompt = samples.READ_AS.get(prompt.strip(), prompt)
    found = _operations(*_lift_quotes(prompt), written=written)
    if not found and prompt.strip():
        raise not_understood(prompt, written=written)
    _check_images(found, images=images, masked=masked)
    return tuple(found)


def parse_poster(prompt: str) -> Poster:
    """The poster's text is the quoted text, else the whole prompt except looks at its end."""
    text, quotes = _lift_quotes(prompt)
    spoken, looks = _cut_looks(text, quotes)
    return Poster(text="\n".join(quotes) if quotes else " ".join(spoken.split()), looks=looks)


def _cut_looks(traced: Traced, quotes: list[str]) -> tuple[str, tuple[Look, ...]]:
    """The text without its longest ending that consists of looks only, and those looks."""
    text = traced.text
    commas = [match.start() for match in _TRAILING_CLAUSE.finditer(text)]
    for comma in commas[-MOST_OPERATIONS:]:
        try:
            found = _operations(traced.part(comma, len(text)), quotes)
        except Refused:
            continue
        looks = tuple(operation for operation in found if isinstance(operation, Look))
        if looks and len(looks) == len(found):
            return text[:comma], looks
    return text, ()


def _operations(text: Traced, quotes: list[str], *, written: str | None = None) -> list[Operation]:
    """The operations of the text's clauses. Raises Refused at the first that is not understood."""
    found: list[Operation] = []
    verb = ""
    for piece in _rewrite(text).split(_BREAK):
        clause = _tidy(piece.text)
        if not clause:
            continue
        operations = _understand(clause, quotes, found)
        if operations is None and verb:
            # "flip horizontally and vertically": the second clause uses the first one's verb.
            operations = _understand(f"{verb} {clause}", quotes, found)
        if operations is None:
            raise not_understood(piece.written(), hint=_hint(clause), written=written)
        found += operations
        verb = clause.split(maxsplit=1)[0]
        if len(found) > MOST_OPERATIONS:
            raise Refused(f"The built-in sandbox can do at most {MOST_OPERATIONS} things at once.")
    return found


def _understand(clause: str, quotes: list[str], before: list[Operation]) -> list[Operation] | None:
    """Parse one clause by the first matching rule, or split at "with" into two that match.

    `before` are the prompt's operations so far.
    """
    if len(clause) > LONGEST_CLAUSE:
        return None
    if rules.adds_nothing(clause, before):
        return []
    operation = rules.apply(clause, quotes)
    if operation is not None:
        return [operation]
    head, joint, tail = clause.partition(" with ")
    first = rules.apply(head, quotes) if joint else None
    if first is None:
        return None
    rest = _understand(tail, quotes, [*before, first])
    return [first, *rest] if rest is not None else None


def _check_images(operations: list[Operation], *, images: int, masked: bool) -> None:
    for operation in operations:
        if isinstance(operation, Place):
            needed = max(operation.image, operation.onto)
            if needed > images:
                raise Refused(
                    f"This edit needs {needed} images, but {_images_sent(images)}. Add another image."
                )
        if isinstance(operation, SideBySide) and images < FEWEST_SIDE_BY_SIDE:
            raise Refused(
                f"Side by side needs at least two images, but {_images_sent(images)}. Add another image."
            )
        moves_canvas = isinstance(operation, WHOLE_CANVAS)
        if masked and (moves_canvas or (isinstance(operation, Place) and operation.onto != 1)):
            raise Refused(
                "A mask cannot limit an edit that changes the whole canvas, such as rotating, cropping, "
                "resizing, borders or padding. Clear the mask, or leave that instruction out."
            )


def _images_sent(images: int) -> str:
    return {0: "no image was sent", 1: "only one image was sent"}.get(
        images, f"only {images} images were sent"
    )


def _hint(clause: str) -> str:
    if re.search(r"\b(?:text|words?|caption|title|write)\b", clause) and not clauses.QUOTE.search(clause):
        return 'Put the text to write in quotes, for example: add the text "SOLD" at the bottom.'
    return ""


def _lift_quotes(prompt: str) -> tuple[Traced, list[str]]:
    """The prompt with each quoted text replaced by a placeholder, and those texts."""
    quotes: list[str] = []

    def lift(match: re.Match[str]) -> str:
        inner = next((group for group in match.groups() if group is not None), None)
        if inner is None:
            return ""
        quotes.append(inner)
        return clauses.placeholder(len(quotes) - 1)

    return Traced.of(prompt).sub(_QUOTED, lift), quotes


def _rewrite(text: Traced) -> Traced:
    """One spelling for each word, and "image 2" as one word."""
    for pattern, replacement in _REWRITES:
        text = text.sub(pattern, partial(_expand, replacement))
    return text


def _expand(replacement: str, match: re.Match[str]) -> str:
    return match.expand(replacement)


def _tidy(piece: str) -> str:
    """Lower case, without filler."""
    words = [word.strip(":,") for word in piece.lower().split()]
    return " ".join(word for word in words if word and word not in vocabulary.FILLER)
