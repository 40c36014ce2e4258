"""Whether a model can run with the given inputs, and what they become. The one place that decides it.

The web form, the API's doors, the JSON Schema and the loader's check of the defaults all go through here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from editor.catalog.types import Input, Model, Route, Value
from editor.errors import InvalidInput

MAXIMUM_PROMPT = 10_000  # characters
MAXIMUM_TEXT = 2_000  # characters of any other text input
MAXIMUM_OPTIONS = 100  # in one edit; no model has nearly as many

# Plainer than what int() and float() take: no underscores, no digits of other scripts, no "nan".
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_LARGEST_OPTION = 10**6  # Python refuses to write very long numbers as text; no select offers one above this


def clean_inputs(model: Model, values: Mapping[str, object]) -> dict[str, Value]:
    """The model's options, complete and in their types, from what a caller gave.

    What is left out gets its default; so does an empty value, unless the input may be empty (then None).
    Raises InvalidInput whose `fields` hold every problem at once, but for more than MAXIMUM_OPTIONS.
    """
    if len(values) > MAXIMUM_OPTIONS:
        raise InvalidInput(
            f"At most {MAXIMUM_OPTIONS} options are allowed; this request has {len(values):,}."
        )
    cleaned: dict[str, Value] = {}
    known = {item.name for item in model.options}
    problems = {_printable(name): "This model has no such option." for name in values if name not in known}
    for item in model.options:
        try:
            cleaned[item.name] = clean_value(item, values.get(item.name, item.default))
        except ValueError as error:
            problems[item.name] = str(error)
    if problems:
        reported = " ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise InvalidInput(f"{model.label} cannot run with these options. {reported}", fields=problems)
    return cleaned


def clean_value(item: Input, value: object) -> Value:
    """One option in its type. Raises ValueError whose text tells a person what would be right."""
    if item.type == "select":
        return _choice(item, value)
    if value is None or (isinstance(value, str) and not value.strip()):
        if not item.required:
            return None
        value = item.default
    if item.whole_number:
        return _whole_number(item, value)
    if item.type == "float":
        return _float(item, value)
    return clean_text(value, maximum=MAXIMUM_TEXT)


def clean_prompt(model: Model, value: object) -> str:
    """The prompt without the space around it, 1..10000 characters. Raises InvalidInput."""
    try:
        prompt = clean_text(value, maximum=MAXIMUM_PROMPT)
    except ValueError as error:
        problem = str(error)
    else:
        if prompt:
            return prompt
        problem = (
            "Describe what should change." if model.minimum_images else "Describe what you would like to see."
        )
    raise InvalidInput(problem, fields={"prompt": problem})


def clean_text(value: object, *, maximum: int) -> str:
    """Text that every store and provider takes, stripped. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("Enter text.")
    text = value.strip()
    if len(text) > maximum:
        raise ValueError(f"At most {maximum:,} characters are allowed; this text has {len(text):,}.")
    # PostgreSQL takes no NUL, UTF-8 no half of a surrogate pair; JSON can carry both.
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("This text contains a character that cannot be stored.")
    return text


def check_images(model: Model, route: Route, count: int, has_mask: bool) -> None:
    """Whether the model takes so many images, and a mask by this route. Raises InvalidInput."""
    problems: dict[str, str] = {}
    if count < model.minimum_images:
        problems["images"] = f"{model.label} needs {_images(model.minimum_images)} to work on."
    elif count > model.maximum_images:
        problems["images"] = f"{model.label} takes at most {_images(model.maximum_images)}; you sent {count}."
    if has_mask and not route.mask:
        problems["mask"] = f"{model.label} does not support masks."
    elif has_mask and count == 0:
        problems["mask"] = "A mask needs an image to apply to."
    elif model.mask_required and not has_mask and "images" not in problems:
        problems["mask"] = f"{model.label} needs a mask: paint over what should change."
    if problems:
        raise InvalidInput(" ".join(problems.values()), fields=problems)


def route_problem(route: Route, inputs: Mapping[str, Value]) -> str | None:
    """For people, what of these cleaned inputs the route does not offer; None where it offers them all."""
    for name, values in route.without.items():
        if inputs.get(name) in values:
            return f"This provider does not offer the {_words(name)} {inputs[name]}."
    return None


def _choice(item: Input, value: object) -> str:
    choices = [option.value for option in item.options]
    # JSON callers may write options such as "true" and "2" without quotes.
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int) and 0 <= value < _LARGEST_OPTION:
        value = str(value)
    if isinstance(value, str) and value.strip() in choices:
        return value.strip()
    if value is None or (isinstance(value, str) and not value.strip()):
        return str(item.default)
    raise ValueError(f"Choose one of: {', '.join(choice or '(empty)' for choice in choices)}.")


def _whole_number(item: Input, value: object) -> int:
    number = _number(value)
    if number is None or not _within(item, number) or number % 1 or number % item.multiple_of:
        raise ValueError(f"Enter a whole number {_limits(item)}.")
    return int(number)


def _float(item: Input, value: object) -> float:
    number = _number(value)
    if number is None or not _within(item, number):
        raise ValueError(f"Enter a number {_limits(item)}.")
    return float(number)


def _number(value: object) -> int | float | None:
    """The finite number that a caller wrote, as JSON or as text; else None. true and false are no numbers."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        try:
            value = int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    return value if isinstance(value, float) and math.isfinite(value) else None


def _within(item: Input, number: float) -> bool:
    """Python compares an int of any size with a float exactly, so nothing overflows here."""
    if number == 0 and item.zero_allowed:
        return True
    if item.minimum is not None and not number >= item.minimum:
        return False
    return item.maximum is None or number <= item.maximum


def _limits(item: Input) -> str:
    """For people: "from 64 to 2048 in steps of 16, or 0 to match the image"."""
    text = f"from {item.minimum:.10g} to {item.maximum:.10g}"
    if item.multiple_of > 1:
        text += f" in steps of {item.multiple_of}"
    if item.zero_allowed:
        text += ", or 0 to match the image"
    return text


def _words(name: str) -> str:
    """The name of an input in plain words: "aspect ratio"."""
    return re.sub(r"(?=[A-Z])", " ", name).lower()


def _printable(name: object) -> str:
    """A stranger's option name, fit to be sent back in an answer or a page."""
    return str(name)[:100].encode(errors="replace").decode()


def _images(count: int) -> str:
    return "one image" if count == 1 else f"{count} images"
