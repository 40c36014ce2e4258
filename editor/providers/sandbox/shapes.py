"""Rules for instructions about the shape and size of the canvas."""

from __future__ import annotations

import re

from editor.providers.sandbox import vocabulary
from editor.providers.sandbox.clauses import COLOUR, NUMBER, PIXELS, RATIO, Particulars, colour
from editor.providers.sandbox.operations import Border, Crop, Flip, Pad, Resize, Rotate

_DIRECTION = r"(?:left|right|clockwise|counter-?clockwise|counter clockwise|anti-?clockwise|ccw|cw)"
_ROTATE = re.compile(
    rf"(?P<verb>rotate|rotated|turn|spin)(?: to)?(?: (?P<first>{_DIRECTION}))?"
    rf"(?: by)?(?: (?P<degrees>-?{NUMBER}) ?(?:degrees?|deg|°)?)?(?: to)?(?: (?P<last>{_DIRECTION}))?"
)
_BACKWARDS = re.compile(r"left|counter.*|anti.*|ccw")


def rotate(clause: str) -> Rotate | None:
    if clause in {"upside down", "turn upside down", "make upside down", "rotate upside down"}:
        return Rotate(180)
    match = _ROTATE.fullmatch(clause)
    if match is None or clause in {"turn", "spin"}:
        return None
    degrees = float(match["degrees"] or 90)
    direction = match["first"] or match["last"] or ""
    return Rotate(-degrees if _BACKWARDS.fullmatch(direction) else degrees)


_FLIP = re.compile(
    r"(?:(?:flip|flipped|mirror|mirrored)(?: (?:it )?(?P<axis>[a-z]+(?: to [a-z]+| down)?))?"
    r"|(?:make |add |do )?(?P<before>horizontal|vertical) (?:flip|mirror))"
)
_AXES: dict[str, Flip] = {
    **dict.fromkeys(
        ["horizontally", "horizontal", "sideways", "left to right", "right to left"], Flip("horizontal")
    ),
    **dict.fromkeys(["vertically", "vertical", "upside down", "top to bottom"], Flip("vertical")),
}


def flip(clause: str) -> Flip | None:
    match = _FLIP.fullmatch(clause)
    if match is None:
        return None
    return _AXES.get(match["axis"] or match["before"] or "horizontally")


_TO_SHAPE = rf"(?: (?:to|into|in|as|for))? {RATIO}(?: (?:aspect ratio|ratio|format|shape|crop))?"
_CROP = re.compile(
    rf"(?:(?:crop|cropped|cut|trim){_TO_SHAPE}|(?:make|turn into) (?P<square>square)|(?P<alone>square))"
)
_PAD = re.compile(
    rf"(?:pad|padded|letterbox|extend)(?: canvas)?{_TO_SHAPE}"
    rf"(?: (?:with|in) (?P<colour>{COLOUR})(?: margins?| bars?)?)?"
)


def crop(clause: str) -> Crop | None:
    match = _CROP.fullmatch(clause)
    ratio = _ratio(match["ratio"] or "square") if match is not None else None
    return Crop(*ratio) if ratio is not None else None


def pad(clause: str) -> Pad | None:
    match = _PAD.fullmatch(clause)
    ratio = _ratio(match["ratio"]) if match is not None else None
    if match is None or ratio is None:
        return None
    return Pad(*ratio, colour=colour(match["colour"] or "white"))


def _ratio(words: str) -> tuple[int, int] | None:
    if words in vocabulary.NAMED_RATIOS:
        return vocabulary.NAMED_RATIOS[words]
    width, height = (int(part) for part in re.split("[:x]", words))
    return (width, height) if width and height else None


_RESIZE_VERB = (
    r"(?:(?:resize|resized|scale|scaled|shrink|enlarge|make|set|change)(?: (?:down|up))?(?: to| by)? ?)?"
)
_FACTOR = "|".join(vocabulary.FACTORS)
_SIZE = r"(?: (?:of )?(?:original )?size)?"
_RESIZE = [
    re.compile(rf"{_RESIZE_VERB}(?P<width>[0-9]{{2,5}})x(?P<height>[0-9]{{2,5}}){PIXELS}?"),
    re.compile(rf"{_RESIZE_VERB}width(?: of| to)? (?P<width>[0-9]{{1,5}}){PIXELS}?"),
    re.compile(rf"{_RESIZE_VERB}height(?: of| to)? (?P<height>[0-9]{{1,5}}){PIXELS}?"),
    re.compile(rf"{_RESIZE_VERB}(?P<width>[0-9]{{1,5}}){PIXELS}? (?:wide|width|in width)"),
    re.compile(rf"{_RESIZE_VERB}(?P<height>[0-9]{{1,5}}){PIXELS}? (?:high|tall|height|in height)"),
    re.compile(rf"{_RESIZE_VERB}(?P<factor>{_FACTOR})(?: (?:as )?(?:big|large))?{_SIZE}"),
    re.compile(
        rf"(?:resize|scale|shrink|enlarge)(?: (?:down|up))?(?: to| by)?"
        rf" (?P<percent>{NUMBER}) ?(?:%|percent){_SIZE}"
    ),
]


def resize(clause: str) -> Resize | None:
    for pattern in _RESIZE:
        match = pattern.fullmatch(clause)
        if match is None:
            continue
        found = match.groupdict()
        width, height = (int(found[side]) if found.get(side) else None for side in ("width", "height"))
        factor = vocabulary.FACTORS[found["factor"]] if found.get("factor") else None
        if found.get("percent"):
            factor = float(found["percent"]) / 100
        if width == 0 or height == 0 or factor == 0:
            return None
        return Resize(width=width, height=height, factor=factor)
    return None


def border(clause: str) -> Border | None:
    parts = Particulars(clause)
    if not re.search(r"\b(?:border|borders|frame)\b", clause):
        return None
    pixels = parts.take(r"(?:\bof )?\b([0-9]{1,4}) ?-?(?:px|pixels?)?\b")
    size = parts.take_word(vocabulary.BORDER_SIZES)
    ink = parts.take_colour()
    if not parts.only(vocabulary.BORDER_WORDS):
        return None
    return Border(
        colour=ink or vocabulary.COLOURS["white"],
        pixels=int(pixels[1]) if pixels is not None else None,
        scale=vocabulary.BORDER_SIZES[size] if size else 1.0,
    )
