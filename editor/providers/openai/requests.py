"""Builds OpenAI's requests for an edit. Source: the contract's sections 2 to 5."""

from __future__ import annotations

from io import BytesIO
from math import gcd, isqrt

from PIL import Image, ImageOps

from editor.providers.base import EditRequest, ErrorKind, InputImage
from editor.providers.failures import failure

File = tuple[str, tuple[str, bytes, str]]  # name of the part, (file name, content, type)

# Models with three fixed sizes. The others support any size within the limits below.
_FIXED = ("gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image-latest")
_STEP = 16  # pixels; both sides are multiples of it
_LONGEST_SIDE = 3840  # pixels
_STEEPEST = 3  # the longest side to the shortest
_PIXELS = {"1K": 1024**2, "2K": 2048**2, "4K": 8_294_400}
_USUAL_PIXELS = 1536 * 1024


def check(request: EditRequest) -> None:
    """Raise ProviderError for an edit that would not be done as requested."""
    if request.mask is not None and not request.images:
        raise failure(ErrorKind.INVALID_INPUT, message="A mask needs an image to apply to.")


def fields(request: EditRequest) -> dict[str, str | int]:
    """All fields except files. Generations and edits share them."""
    inputs = request.inputs
    values: dict[str, str | int] = {
        "model": request.target,
        "prompt": request.prompt,
        "n": request.samples,
        "size": size(request),
    }
    for name, field in (
        ("quality", "quality"),
        ("background", "background"),
        ("outputFormat", "output_format"),
    ):
        if value := inputs.get(name):
            values[field] = str(value)
    return values


def size(request: EditRequest) -> str:
    """ "WxH" or "auto", which roughly keeps the ratio of the first image."""
    inputs = request.inputs
    width, height = int(inputs.get("width") or 0), int(inputs.get("height") or 0)
    exact = width > 0 and height > 0
    if not exact:
        across, _, down = str(inputs.get("aspectRatio") or "").partition(":")
        if not (across.isdecimal() and down.isdecimal() and int(across) and int(down)):
            return "auto"
        width, height = int(across), int(down)
    if request.target in _FIXED:
        return _nearest_fixed(width, height)
    if not exact:
        pixels = _PIXELS.get(str(inputs.get("resolution")), _USUAL_PIXELS)
        width, height = _largest(width, height, pixels)
    return f"{width}x{height}"


def file(image: InputImage, content: bytes, *, number: int) -> File:
    """One image of an edit. Their order matters, and OpenAI refuses parts without name and type."""
    ending = image.content_type.partition("/")[2]
    return "image[]", (f"image-{number}.{ending}", content, image.content_type)


def mask(white_to_change: bytes, pixels: tuple[int, int]) -> bytes:
    """Convert our mask to OpenAI's: a PNG of the first image's size, transparent where it may change."""
    with Image.open(BytesIO(white_to_change), formats=("PNG",)) as opened:
        grey = opened.convert("L")
    if grey.size != pixels:
        grey = grey.resize(pixels, Image.Resampling.NEAREST)
    image = Image.new("RGBA", pixels)
    image.putalpha(ImageOps.invert(grey))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _nearest_fixed(width: int, height: int) -> str:
    if width == height:
        return "1024x1024"
    return "1536x1024" if width > height else "1024x1536"


def _largest(across: int, down: int, pixels: int) -> tuple[int, int]:
    """The largest size of exactly this ratio, limited to 1:3 to 3:1, with at most `pixels` pixels."""
    if across > _STEEPEST * down:
        across, down = _STEEPEST, 1
    elif down > _STEEPEST * across:
        across, down = 1, _STEEPEST
    shared = gcd(across, down)
    across, down = across // shared * _STEP, down // shared * _STEP
    times = min(isqrt(pixels // (across * down)), _LONGEST_SIDE // max(across, down))
    return across * times, down * times
