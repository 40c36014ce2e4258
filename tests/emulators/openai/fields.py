"""The fields of a generate or edit call: types, ranges, and what a model does not accept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulators.openai.errors import IMAGE_USER_ERROR, Refusal, bad_value, missing, unknown_model
from tests.emulators.openai.models import FIXED_SIZES, MODELS, Model

_SHARED: dict[str, type] = {
    "prompt": str,
    "model": str,
    "n": int,
    "size": str,
    "quality": str,
    "background": str,
    "output_format": str,
    "output_compression": int,
    "complexity": str,
    "stream": bool,
    "partial_images": int,
    "safety_identifier": str,
    "user": str,
    "frame_count": int,
    "frame_duration_ms": int,
    "svg": dict,
}
GENERATE: dict[str, type] = {**_SHARED, "moderation": str}
EDIT: dict[str, type] = {**_SHARED, "input_fidelity": str}

_CHOICES = {
    "quality": ("low", "medium", "high", "xhigh", "max", "auto"),
    "background": ("transparent", "opaque", "auto"),
    "output_format": ("png", "jpeg", "webp", "gif", "svg"),
    "moderation": ("auto", "low"),
    "complexity": ("low", "medium", "high"),
    "input_fidelity": ("high", "low"),
}
_RANGES = {"n": (1, 10), "output_compression": (0, 100), "partial_images": (0, 3)}
_NAMES = {str: "a string", int: "an integer", bool: "a boolean", dict: "an object"}
_PROMPT_CHARACTERS = 32_000
_LONGEST_EDGE = 3840
_PIXELS = (655_360, 8_294_400)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A valid call: every value resolved, except `size`, which may still be "auto"."""

    model_name: str
    model: Model
    prompt: str
    n: int
    size: str
    quality: str
    background: str
    output_format: str
    output_compression: int
    stream: bool
    partial_images: int
    safety_identifier: str | None


def from_form(texts: Mapping[str, str]) -> dict[str, Any]:
    """Form fields as typed values. `svg[model]` nests. Raises Refusal."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        parts = re.findall(r"[^\[\]]+", name)
        if len(parts) > 1:
            inner = values.setdefault(parts[0], {})
            for part in parts[1:-1]:
                inner = inner.setdefault(part, {})
            inner[parts[-1]] = text
            continue
        values[name] = _from_text(name, text)
    return values


def _from_text(name: str, text: str) -> Any:
    kind = EDIT.get(name)
    if kind is int and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind is bool and text in ("true", "false"):
        return text == "true"
    return text


def check(values: Mapping[str, Any], known: Mapping[str, type]) -> Wanted:
    """`known` is GENERATE or EDIT. Raises Refusal with OpenAI's message."""
    given = {name: value for name, value in values.items() if value is not None}
    _check_types(given, known)
    if "model" not in given:
        raise missing("model")
    model_name = given["model"]
    if model_name not in MODELS:
        raise unknown_model(model_name)
    if "prompt" not in given:
        raise missing("prompt")
    model = MODELS[model_name]
    _check_ranges(given)
    _check_model(given, model_name, model)
    output_format = given.get("output_format", "png")
    _check_combinations(given, output_format)
    size = given.get("size", "auto")
    if size != "auto":
        check_size(size, model)
    quality = given.get("quality", "auto")
    background = given.get("background", "auto")
    return Wanted(
        model_name=model_name,
        model=model,
        prompt=given["prompt"],
        n=given.get("n", 1),
        size=size,
        quality="medium" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        output_format=output_format,
        output_compression=given.get("output_compression", 100),
        stream=given.get("stream", False),
        partial_images=given.get("partial_images", 0),
        safety_identifier=given.get("safety_identifier") or given.get("user") or None,
    )


def _check_types(given: Mapping[str, Any], known: Mapping[str, type]) -> None:
    for name, value in given.items():
        kind = known.get(name)
        if kind is None:
            raise Refusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
        # A bool is an int in Python, but not for OpenAI.
        if type(value) is not kind:
            found = _NAMES.get(type(value), "another type")
            raise Refusal(
                400,
                f"Invalid type for '{name}': expected {_NAMES[kind]}, but got {found} instead.",
                code="invalid_type",
                param=name,
            )


def _check_ranges(given: Mapping[str, Any]) -> None:
    if not 1 <= len(given["prompt"]) <= _PROMPT_CHARACTERS:
        raise bad_value(
            "prompt",
            f"Invalid 'prompt': expected 1 to {_PROMPT_CHARACTERS} characters, got {len(given['prompt'])}.",
        )
    for name, choices in _CHOICES.items():
        if given.get(name, choices[0]) not in choices:
            listed = ", ".join(f"'{choice}'" for choice in choices)
            raise bad_value(name, f"Invalid value: '{given[name]}'. Supported values are: {listed}.")
    for name, (low, high) in _RANGES.items():
        if not low <= given.get(name, low) <= high:
            raise bad_value(name, f"Invalid '{name}': expected a value from {low} to {high}.")


def _check_model(given: Mapping[str, Any], model_name: str, model: Model) -> None:
    quality = given.get("quality", "auto")
    if quality not in (*model.qualities, "auto"):
        raise bad_value(
            "quality",
            f"The model '{model_name}' does not support quality '{quality}'",
            kind=IMAGE_USER_ERROR,
        )
    if given.get("background") == "transparent" and not model.transparent:
        raise bad_value(
            "background",
            f"The model '{model_name}' does not support transparent backgrounds.",
            kind=IMAGE_USER_ERROR,
        )
    if "complexity" in given and not model.complexity:
        raise bad_value(
            "complexity", f"The model '{model_name}' does not support 'complexity'.", kind=IMAGE_USER_ERROR
        )
    if "input_fidelity" in given and given["input_fidelity"] not in model.fidelities:
        raise Refusal(
            400,
            f"The model '{model_name}' does not support the 'input_fidelity' parameter.",
            kind=IMAGE_USER_ERROR,
            code="invalid_input_fidelity_model",
            param="input_fidelity",
        )


def _check_combinations(given: Mapping[str, Any], output_format: str) -> None:
    if output_format in ("gif", "svg"):
        raise bad_value("output_format", f"Your project does not have access to {output_format} output.")
    for name, format_ in (("frame_count", "gif"), ("frame_duration_ms", "gif"), ("svg", "svg")):
        if name in given:
            raise bad_value(name, f"'{name}' is only supported with output_format '{format_}'.")
    if "output_compression" in given and output_format == "png":
        raise bad_value("output_compression", "Compression is only supported for jpeg and webp output.")
    if given.get("background") == "transparent" and output_format == "jpeg":
        raise bad_value("background", "Transparent backgrounds need output_format 'png' or 'webp'.")
    if given.get("partial_images") and not given.get("stream"):
        raise bad_value("partial_images", "'partial_images' is only supported when 'stream' is true.")


def check_size(size: str, model: Model) -> None:
    """Raises Refusal if `size` ("WxH") breaks a rule of this model."""
    if not model.free_size:
        if size not in FIXED_SIZES:
            listed = ", ".join(f"'{fixed}'" for fixed in FIXED_SIZES)
            raise _bad_size(size, f"Supported sizes are {listed}, and 'auto'.")
        return
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", size)
    if match is None:
        raise _bad_size(size, "Expected 'auto' or a size like '1024x1024'.")
    width, height = int(match[1]), int(match[2])
    if width % 16 or height % 16:
        raise _bad_size(size, "Width and height must both be divisible by 16.")
    if max(width, height) > _LONGEST_EDGE:
        raise _bad_size(size, f"The longest edge must be less than or equal to {_LONGEST_EDGE}.")
    if max(width, height) > 3 * min(width, height):
        raise _bad_size(size, "The aspect ratio must be between 1:3 and 3:1.")
    if not _PIXELS[0] <= width * height <= _PIXELS[1]:
        raise _bad_size(size, f"The number of pixels must be between {_PIXELS[0]} and {_PIXELS[1]}.")


def _bad_size(size: str, why: str) -> Refusal:
    return bad_value("size", f"Invalid size '{size}'. {why}", kind=IMAGE_USER_ERROR)


def resolved_size(size: str, model: Model, first_image: tuple[int, int] | None) -> tuple[int, int]:
    """Pixels of the result. "auto" keeps roughly the ratio of the first image, if there is one."""
    if size != "auto":
        width, height = size.split("x")
        return int(width), int(height)
    if first_image is None:
        return 1024, 1024
    ratio = min(max(first_image[0] / first_image[1], 1 / 3), 3.0)
    if model.free_size:
        # Rounded towards the square, so that 1:3 and 3:1 are not exceeded.
        longer = int(1024 * max(ratio, 1 / ratio) ** 0.5) // 16 * 16
        shorter = -(-int(1024 / max(ratio, 1 / ratio) ** 0.5) // 16) * 16
        return (longer, shorter) if ratio >= 1 else (shorter, longer)
    sizes = [(int(fixed[:4]), int(fixed[5:])) for fixed in FIXED_SIZES]
    return min(sizes, key=lambda pair: abs(pair[0] / pair[1] - ratio))
