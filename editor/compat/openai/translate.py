"""Translates OpenAI's fields to the catalogue's inputs, and a job's end to OpenAI's response. Pure.

Source: the contract's sections 3 to 7. Fields without a meaning here are ignored; a value that would give
an image other than requested is rejected. The rules are documented in docs/compatible/openai.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

from editor.catalog.types import Input, Model, Route
from editor.compat.openai.errors import MissingParameter
from editor.errors import InvalidInput

MOST_IMAGES = 10  # OpenAI's limit per call
QUALITIES = ("low", "medium", "high", "xhigh", "max")  # in ascending order
_OLDER_QUALITIES = {"standard": "medium", "hd": "high"}
BACKGROUNDS = ("transparent", "opaque", "auto")
FORMATS = ("png", "jpeg", "webp")
_AUTOMATIC = "auto"
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")
_RESOLUTIONS = {"1K": 1024**2, "2K": 2048**2, "4K": 4096**2}  # pixels
# Never options of a model, whatever the catalogue's inputs are called.
_OWN = {"prompt", "model", "n", "size", "quality", "background", "output_format", "response_format", "stream"}


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed request. Values that the client left out are empty.

    n       number of images
    size    width and height in pixels
    as_url  links instead of bytes
    extra   fields that OpenAI does not have: some may be options of the model
    """

    prompt: str
    model: str = ""
    n: int = 1
    size: tuple[int, int] | None = None
    quality: str = ""
    background: str = ""
    output_format: str = ""
    as_url: bool = False
    stream: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


def read(fields: Mapping[str, Any]) -> ParsedRequest:
    """Parse fields from JSON or a form. Raises InvalidInput; its `fields` have OpenAI's names."""
    prompt = _text(fields, "prompt")
    if not prompt:
        raise MissingParameter("Missing required parameter: 'prompt'.", fields={"prompt": "Required."})
    quality = _text(fields, "quality")
    parsed = ParsedRequest(
        prompt=prompt,
        model=_text(fields, "model"),
        n=_count(fields.get("n")),
        size=_size(_text(fields, "size")),
        quality=_one_of("quality", _OLDER_QUALITIES.get(quality, quality), (*QUALITIES, _AUTOMATIC)),
        background=_one_of("background", _text(fields, "background"), BACKGROUNDS),
        output_format=_one_of("output_format", _text(fields, "output_format"), FORMATS),
        as_url=_one_of("response_format", _text(fields, "response_format"), ("b64_json", "url")) == "url",
        stream=_flag(fields.get("stream")),
        extra={name: value for name, value in fields.items() if name not in _OWN},
    )
    if parsed.background == "transparent" and parsed.output_format == "jpeg":
        raise _wrong("background", "A transparent background needs the output_format png or webp.")
    return parsed


def inputs(parsed: ParsedRequest, model: Model, route: Route, *, editing: bool) -> dict[str, Any]:
    """The model's options for the request; the catalogue validates their values.

    editing  there is an image, whose shape the result has unless a size is requested

    Raises InvalidInput for what the model cannot do.
    """
    options = {item.name: item for item in model.options}
    values: dict[str, Any] = {}
    if parsed.n > model.maximum_samples:
        raise _wrong("n", f"{model.label} returns at most {model.maximum_samples} at a time.")
    if model.samples_input:
        values[model.samples_input] = parsed.n
    values |= _size_inputs(parsed.size, options, route, editing=editing)
    values |= _quality_input(parsed.quality, options.get("quality"))
    values |= _background_input(parsed.background, options.get("background"), model)
    values |= _format_input(parsed.output_format, options.get("outputFormat"), model)
    if "seed" in options and not options["seed"].required:
        values["seed"] = ""  # OpenAI never returns the same image twice
    return values | {name: value for name, value in parsed.extra.items() if name in options}


def quality_given(used: Mapping[str, Any]) -> str:
    """The quality of a job with these inputs; "high" for a model without a choice."""
    return str(used.get("quality") or "high")


def background_given(used: Mapping[str, Any]) -> str:
    return "transparent" if used.get("background") == "transparent" else "opaque"


def usage(credits: int) -> dict[str, Any]:
    """Zero tokens, which clients require, and the credits charged."""
    return {
        "input_tokens": 0,
        "output_tokens": 0,
        "total_tokens": 0,
        "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 0},
        "credits": credits,
    }


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, f"Invalid type for '{name}': expected a string.")
    return value.strip()


def _one_of(name: str, value: str, known: Collection[str]) -> str:
    if value and value not in known:
        raise _wrong(name, f"Invalid value: '{value[:50]}'. Supported values are: {_listed(known)}.")
    return value


def _count(value: Any) -> int:
    if value is None or value == "":
        return 1
    if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_IMAGES:
        raise _wrong("n", f"Invalid 'n': expected a whole number from 1 to {MOST_IMAGES}.")
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, str) and value.strip().lower() in ("true", "false", ""):
        return value.strip().lower() == "true"
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _wrong("stream", "Invalid type for 'stream': expected true or false.")


def _size(value: str) -> tuple[int, int] | None:
    if value in ("", _AUTOMATIC):
        return None
    found = _SIZE.fullmatch(value)
    if found is None:
        raise _wrong("size", f"Invalid size '{value[:50]}'. Use 'auto', or width x height as in '1536x1024'.")
    return int(found[1]), int(found[2])


def _size_inputs(
    size: tuple[int, int] | None, options: Mapping[str, Input], route: Route, *, editing: bool
) -> dict[str, Any]:
    """The exact size if the model takes pixels, else its nearest aspect ratio and resolution."""
    if "width" in options and "height" in options:
        if size:
            return {"width": size[0], "height": size[1]}
        matches = editing and options["width"].zero_allowed and options["height"].zero_allowed
        return {"width": 0, "height": 0} if matches else {}
    if size is None:
        return {}
    width, height = size
    found: dict[str, Any] = {}
    if shapes := _offered(options.get("aspectRatio"), route, _shape):
        found["aspectRatio"] = min(shapes, key=lambda name: abs(log(shapes[name] * height / width)))
    if resolutions := _offered(options.get("resolution"), route, _RESOLUTIONS.get):
        found["resolution"] = min(resolutions, key=lambda name: abs(log(resolutions[name] / width / height)))
    return found


def _offered(item: Input | None, route: Route, measure: Callable[[str], float | None]) -> dict[str, float]:
    """The options of a select input that the route offers, with their measures; others are left out."""
    if item is None:
        return {}
    without = route.without.get(item.name, ())
    measured = {option.value: measure(option.value) for option in item.options if option.value not in without}
    return {name: size for name, size in measured.items() if size is not None}


def _shape(ratio: str) -> float | None:
    found = _RATIO.fullmatch(ratio)
    return int(found[1]) / int(found[2]) if found else None


def _quality_input(quality: str, item: Input | None) -> dict[str, str]:
    """The requested quality, or the nearest that the model has."""
    if item is None or quality in ("", _AUTOMATIC):
        return {}
    offered = [option.value for option in item.options if option.value in QUALITIES]
    if not offered:
        return {}
    rank = QUALITIES.index(quality)
    return {"quality": min(offered, key=lambda name: abs(QUALITIES.index(name) - rank))}


def _background_input(background: str, item: Input | None, model: Model) -> dict[str, str]:
    if item is not None and background in [option.value for option in item.options]:
        return {"background": background}
    if background == "transparent":
        raise _wrong("background", f"{model.label} does not support transparent backgrounds.")
    return {}


def _format_input(requested_format: str, item: Input | None, model: Model) -> dict[str, str]:
    """PNG unless another is requested. A model without a choice keeps its own, shown in the response."""
    if item is None:
        return {}
    offered = [option.value for option in item.options]
    if requested_format and requested_format not in offered:
        raise _wrong("output_format", f"{model.label} returns {_listed(offered)}.")
    return {"outputFormat": requested_format or "png"} if (requested_format or "png") in offered else {}


def _listed(values: Collection[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _wrong(name: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={name: message})
