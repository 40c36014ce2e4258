"""The content of a well-formed request, validated against its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.emulators.google.errors import Refusal, invalid
from tests.emulators.google.models import Model
from tests.emulators.inputs import Size, size_of

_DECODED = ("image/png", "image/jpeg", "image/webp")
_TAKEN_AS_THEY_ARE = ("image/heic", "image/heif")  # Pillow alone cannot open them
_MOST_IMAGES = 14


@dataclass(frozen=True, slots=True)
class Spec:
    """A valid request. `images` counts those of the last turn; sizes are in pixels."""

    prompt: str
    images: int
    width: int
    height: int
    seed: int
    text: bool  # whether text may come with the image
    thoughts: bool  # whether drafts are returned


def read(request: dict[str, Any], model_name: str, model: Model) -> Spec:
    """`request` is from `schema.parse`. Raises Refusal with Google's message."""
    parts = _last_parts(request)
    config = request.get("generation_config", {})
    if "system_instruction" in request and not model.instructions:
        raise invalid(f"Developer instruction is not enabled for models/{model_name}")
    if request.get("tools") and not model.search:
        raise invalid(f"Search Grounding is not supported for models/{model_name}")
    modalities = config.get("response_modalities") or ["TEXT", "IMAGE"]
    if "IMAGE" not in modalities or "AUDIO" in modalities:
        named = ", ".join(modalities)
        raise invalid(f"The requested combination of response modalities ({named}) is not supported.")
    if config.get("candidate_count", 1) != 1:
        raise invalid(f"Multiple candidates is not enabled for models/{model_name}")
    thinking = config.get("thinking_config", {})
    if thinking.get("thinking_level", None) not in (None, *model.thinking):
        raise invalid(f"Thinking level {thinking['thinking_level']} is not supported for models/{model_name}")
    sizes = [_decoded(part, index) for index, part in enumerate(parts) if "inline_data" in part]
    if len(sizes) > _MOST_IMAGES:
        raise invalid(f"Too many images: at most {_MOST_IMAGES} are supported, got {len(sizes)}.")
    width, height = _pixels(config, model, sizes)
    return Spec(
        prompt="\n".join(part["text"] for part in parts if "text" in part),
        images=len(sizes),
        width=width,
        height=height,
        seed=config.get("seed", 0),
        text="TEXT" in modalities,
        thoughts=bool(thinking.get("include_thoughts")),
    )


def _last_parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    contents = request.get("contents", [])
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified")
    for turn, content in enumerate(contents):
        if content.get("role", "user") not in ("user", "model"):
            raise invalid("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise invalid(
                f"* GenerateContentRequest.contents[{turn}].parts: contents.parts must not be empty."
            )
        for index, part in enumerate(content["parts"]):
            _check_part(part, f"contents[{turn}].parts[{index}]")
    parts: list[dict[str, Any]] = contents[-1]["parts"]
    return parts


def _check_part(part: dict[str, Any], where: str) -> None:
    if sum(name in part for name in ("text", "inline_data", "file_data")) != 1:
        raise invalid(
            f"* GenerateContentRequest.{where}.data: required oneof field 'data' must have one "
            "initialized field"
        )
    if "file_data" in part:
        name = part["file_data"].get("file_uri", "").rpartition("/")[2]
        raise Refusal(
            403,
            "PERMISSION_DENIED",
            f"You do not have permission to access the File {name} or it may not exist.",
        )
    if "inline_data" in part:
        mime_type = part["inline_data"].get("mime_type", "")
        if mime_type not in (*_DECODED, *_TAKEN_AS_THEY_ARE):
            raise invalid(f"Unsupported MIME type: {mime_type}")


def _decoded(part: dict[str, Any], index: int) -> Size:
    """Pixels of an input image."""
    blob = part["inline_data"]
    if blob["mime_type"] in _TAKEN_AS_THEY_ARE:
        return 1024, 1024
    size = size_of(blob.get("data") or b"")
    if size is None:
        raise invalid(f"Unable to process input image at parts[{index}]. Please retry.")
    return size


def _pixels(config: dict[str, Any], model: Model, sent: list[Size]) -> Size:
    where = "* GenerateContentRequest.generation_config.image_config"
    image = {**config.get("response_format", {}).get("image", {}), **config.get("image_config", {})}
    ratio = image.get("aspect_ratio")
    if ratio is not None and ratio not in model.ratios:
        listed = ", ".join(f"'{each}'" for each in model.ratios)
        raise invalid(f"{where}.aspect_ratio: aspect_ratio must be one of {listed}")
    size = image.get("image_size")
    if size is not None and size not in model.sizes:
        listed = ", ".join(f"'{each}'" for each in model.sizes)
        takes = f"image_size must be one of {listed}" if listed else "image_size is not supported"
        raise invalid(f"{where}.image_size: {takes}")
    if ratio is None:
        ratio = model.nearest_ratio(*sent[0]) if sent else "1:1"
    return model.pixels(ratio, size or "1K")
