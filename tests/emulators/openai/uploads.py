"""The files of an edit call: their parts, types, sizes, and whether they can be decoded."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from starlette.datastructures import FormData, UploadFile

from tests.emulators.openai.errors import IMAGE_USER_ERROR, Refusal, bad_value, missing
from tests.emulators.openai.models import Model

_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MODES = {"RGB", "RGBA", "L", "LA", "P"}
_MOST_IMAGES = 16
_IMAGE_BYTES = 50 * 1024**2
_MASK_BYTES = 4 * 1024**2


@dataclass(frozen=True)
class Upload:
    """One file part as received."""

    part: str
    filename: str
    content_type: str
    content: bytes = field(repr=False)
    width: int  # pixels
    height: int  # pixels


@dataclass(frozen=True)
class Uploads:
    images: list[Upload]
    mask: Upload | None
    markup: Upload | None


def texts(form: FormData) -> dict[str, str]:
    """The parts without a file. Raises Refusal if one is given twice, or should be a file."""
    found: dict[str, str] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue
        if name in ("image", "image[]", "mask", "markup"):
            raise Refusal(
                400,
                f"Invalid type for '{name}': expected a file, but got a string instead.",
                code="invalid_type",
                param=name,
            )
        if name in found:
            raise _twice(name)
        found[name] = value
    return found


async def check(form: FormData, model: Model) -> Uploads:
    """Raises Refusal with OpenAI's message."""
    single: list[Upload] = []
    several: list[Upload] = []
    others: dict[str, Upload] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            continue
        if name in ("image", "image[]"):
            number = len(single) + len(several) + 1
            upload = await _read(name, value, number=number)
            (single if name == "image" else several).append(upload)
        elif name in ("mask", "markup"):
            if name in others:
                raise _twice(name)
            others[name] = await _read(name, value, number=None)
        else:
            raise Refusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    if len(single) > 1 or (single and several):
        raise _twice("image")
    images = single + several
    if not images:
        raise missing("image")
    if len(images) > _MOST_IMAGES:
        raise bad_value("image", f"Too many images: expected at most {_MOST_IMAGES}, got {len(images)}.")
    _check_overlays(others, images[0], model)
    return Uploads(images, others.get("mask"), others.get("markup"))


async def _read(part: str, file: UploadFile, *, number: int | None) -> Upload:
    content = await file.read()
    declared = file.content_type or "application/octet-stream"
    limit = _IMAGE_BYTES if number else _MASK_BYTES
    if declared not in _TYPES or (number is None and declared != "image/png"):
        raise _bad_type(part, declared)
    if len(content) >= limit:
        raise bad_value(part, f"Invalid file '{part}': it must be smaller than {limit // 1024**2} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(BytesIO(content))
            image.load()
    except (OSError, ValueError, Image.DecompressionBombError, SyntaxError):
        raise _bad_image(part, number) from None
    if image.format != _TYPES[declared]:
        raise _bad_type(part, declared)
    if image.mode not in _MODES:
        raise _bad_image(part, number)
    if number is None and not image.has_transparency_data:
        raise bad_value(part, f"Invalid {part}: it must be a PNG with an alpha channel.")
    return Upload(part, file.filename or "", declared, content, image.width, image.height)


def _check_overlays(others: dict[str, Upload], first: Upload, model: Model) -> None:
    if "markup" in others and "mask" in others:
        raise bad_value("markup", "'markup' cannot be combined with 'mask'.")
    if "markup" in others and not model.markup:
        raise bad_value("markup", "This model does not support 'markup'.", kind=IMAGE_USER_ERROR)
    for part, upload in others.items():
        if (upload.width, upload.height) != (first.width, first.height):
            raise bad_value(
                part,
                f"Invalid {part}: its size {upload.width}x{upload.height} must be that of the first image, "
                f"{first.width}x{first.height}.",
                kind=IMAGE_USER_ERROR,
            )


def _bad_type(part: str, declared: str) -> Refusal:
    formats = "'image/png'" if part in ("mask", "markup") else "'image/jpeg', 'image/png' and 'image/webp'"
    return Refusal(
        400,
        f"Invalid file '{part}': unsupported mimetype ('{declared}'). Supported file formats are {formats}.",
        code="unsupported_file_mimetype",
        param=part,
    )


def _bad_image(part: str, number: int | None) -> Refusal:
    which = f"image {number}" if number else f"the {part}"
    return Refusal(
        400,
        f"Invalid image file or mode for {which}, please check your image file.",
        kind=IMAGE_USER_ERROR,
        code="invalid_image_file",
    )


def _twice(name: str) -> Refusal:
    return Refusal(
        400,
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas only one "
        f"is allowed. To provide a list of values, use the array syntax, e.g. '{name}[]=<value>'.",
        code="duplicate_parameter",
        param=name,
    )
