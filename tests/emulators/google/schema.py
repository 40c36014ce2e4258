"""The request as Google parses it: proto3 JSON, names in camelCase or snake_case, no unknown names.

`parse` returns plain dictionaries with snake_case names. All violations of the schema are collected and
reported at once, as Google does.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.emulators.google.errors import invalid, invalid_fields

Violations = list[tuple[str, str]]
Reader = Callable[[Any, str, Violations], Any]


def _scalar(kind: str, *types: type) -> Reader:
    def read(value: Any, path: str, violations: Violations) -> Any:
        # A bool is an int in Python, but not for Google.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            violations.append((path, f"Invalid value at '{path}' ({kind}), {_shown(value)}"))
            return None
        return value

    return read


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


_STRING = _scalar("TYPE_STRING", str)
_BOOL = _scalar("TYPE_BOOL", bool)
_INT = _scalar("TYPE_INT32", int)
_FLOAT = _scalar("TYPE_FLOAT", int, float)


def _anything(value: Any, path: str, violations: Violations) -> Any:
    return value


def _bytes(value: Any, path: str, violations: Violations) -> bytes | None:
    """Base64 of either alphabet, padded or not."""
    if isinstance(value, str):
        standard = value.translate(str.maketrans("-_", "+/")).rstrip("=")
        try:
            return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        except binascii.Error:
            pass
    start = str(value)[:40]
    violations.append(
        (path, f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{start}\"")
    )
    return None


@dataclass(frozen=True)
class _Enum:
    name: str
    message: tuple[str, ...]

    def __call__(self, value: Any, path: str, violations: Violations) -> Any:
        # SDKs also send thinking levels in lower case.
        if isinstance(value, str) and value.upper() in self.message:
            return value.upper()
        kind = f"type.googleapis.com/google.ai.generativelanguage.v1beta.{self.name}"
        violations.append((path, f"Invalid value at '{path}' ({kind}), {_shown(value)}"))
        return None


@dataclass(frozen=True)
class _List:
    item: Reader

    def __call__(self, value: Any, path: str, violations: Violations) -> Any:
        # Google accepts a single item as a list of it.
        items = value if isinstance(value, list) else [value]
        return [self.item(item, f"{path}[{index}]", violations) for index, item in enumerate(items)]


@dataclass(frozen=True)
class _Message:
    fields: dict[str, Reader]  # by snake_case name

    def __call__(self, value: Any, path: str, violations: Violations) -> Any:
        if not isinstance(value, dict):
            violations.append((path, f"Invalid value at '{path}' (type.googleapis.com/Message), {value!r}"))
            return {}
        found: dict[str, Any] = {}
        for name, inner in value.items():
            snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)
            reader = self.fields.get(snake)
            if reader is None:
                at = f" at '{path}'" if path else ""
                what = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
                violations.append((path, what))
            elif snake in found:
                violations.append((path, f"Invalid value at '{path}' (oneof), {name} is set twice"))
            elif inner is not None:
                found[snake] = reader(inner, f"{path}.{snake}" if path else snake, violations)
        return found


_BLOB = _Message({"mime_type": _STRING, "data": _bytes, "display_name": _STRING})
_PART = _Message(
    {
        "text": _STRING,
        "inline_data": _BLOB,
        "file_data": _Message({"mime_type": _STRING, "file_uri": _STRING}),
        "thought": _BOOL,
        "thought_signature": _bytes,
    }
)
_CONTENT = _Message({"role": _STRING, "parts": _List(_PART)})
_IMAGE_CONFIG = _Message({"aspect_ratio": _STRING, "image_size": _STRING})
_GENERATION_CONFIG = _Message(
    {
        "response_modalities": _List(_Enum("GenerationConfig.Modality", ("TEXT", "IMAGE", "AUDIO"))),
        "image_config": _IMAGE_CONFIG,
        "response_format": _Message({"image": _IMAGE_CONFIG}),
        "candidate_count": _INT,
        "temperature": _FLOAT,
        "top_p": _FLOAT,
        "top_k": _FLOAT,
        "seed": _INT,
        "max_output_tokens": _INT,
        "stop_sequences": _List(_STRING),
        "presence_penalty": _FLOAT,
        "frequency_penalty": _FLOAT,
        "thinking_config": _Message(
            {
                "thinking_level": _Enum("ThinkingConfig.ThinkingLevel", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
                "thinking_budget": _INT,
                "include_thoughts": _BOOL,
            }
        ),
    }
)
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
_THRESHOLDS = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
_REQUEST = _Message(
    {
        "model": _STRING,
        "contents": _List(_CONTENT),
        "system_instruction": _CONTENT,
        "generation_config": _GENERATION_CONFIG,
        "safety_settings": _List(
            _Message(
                {
                    "category": _Enum("HarmCategory", tuple(f"HARM_CATEGORY_{word}" for word in _CATEGORIES)),
                    "threshold": _Enum("SafetySetting.HarmBlockThreshold", _THRESHOLDS),
                }
            )
        ),
        "tools": _List(_Message({"google_search": _anything})),
    }
)


def parse(document: Any) -> dict[str, Any]:
    """Raises Refusal with Google's message if the schema is violated."""
    if not isinstance(document, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    violations: Violations = []
    request: dict[str, Any] = _REQUEST(document, "", violations)
    if violations:
        raise invalid_fields(violations)
    return request
