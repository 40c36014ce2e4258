"""Validates and cleans the inputs of a model.

The web form, the APIs, the JSON Schema and the loader's check of the defaults all use this module.
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

# Stricter than int() and float(): no underscores, no digits of other scripts, no "nan".
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_LARGEST_OPTION = 10**6  # Python refuses to convert very long integers to text; no select offers a larger one


def clean_inputs(model: Model, values: Mapping[str, object]) -> dict[str, Value]:
    """The caller's values as the model's options, complete and converted to their types.

    Options left out get their defaults; so do empty values, unless the input may be empty (then None).
    Raises InvalidInput with every problem in `fields`, except for more than MAXIMUM_OPTIONS.
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
    """One option converted to its type. Raises ValueError with a message for users."""
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
    """The stripped prompt, 1..10000 characters. Raises InvalidInput."""
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
    """Stripped text that every store and provider accepts. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("Enter text.")
    text = value.strip()
    if len(text) > maximum:
        raise ValueError(f"At most {maximum:,} characters are allowed; this text has {len(text):,}.")
    # PostgreSQL rejects NUL, and UTF-8 lone surrogates; JSON can contain both.
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("This text contains a character that cannot be stored.")
    return text


def check_images(model: Model, route: Route, count: int, has_mask: bool) -> None:
    """Raise InvalidInput if the model does not take so many images, or the route no mask."""
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
    """A message for users if the route does not offer one of these cleaned inputs, else None."""
    for name, values in route.without.items():
        if inputs.get(name) in values:
            return f"This provider does not offer the {_readable(name)} {inputs[name]}."
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
    """A finite number from JSON or text; otherwise None. Booleans are not numbers."""
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
    """For users: "from 64 to 2048 in steps of 16, or 0 to match the image"."""
    text = f"from {item.minimum:.10g} to {item.maximum:.10g}"
    if item.multiple_of > 1:
        text += f" in steps of {item.multiple_of}"
    if item.zero_allowed:
        text += ", or 0 to match the image"
    return text


def _readable(name: str) -> str:
    """The name of an input in plain English: "aspect ratio"."""
    return re.sub(r"(?=[A-Z])", " ", name).lower()


def _printable(name: object) -> str:
    """A client's option name, safe to include in a response or a page."""
    return str(name)[:100].encode(errors="replace").decode()


def _images(count: int) -> str:
    return "one image" if count == 1 else f"{count} images"
