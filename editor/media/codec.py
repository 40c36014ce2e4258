"""Check an untrusted image and produce a clean one from it. Pure Pillow, no Django.

Uploads are never stored as received: the pixels are decoded and re-encoded, which drops
metadata, GPS positions and anything else hidden in the file. A provider's result is decoded
as strictly, but a plain one is kept byte for byte: no quality is lost, and its content
credentials stay. The functions that open a file are meant to run in a child process
(see `store.clean`), because a hostile file may take much time and memory before it is refused.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

# Importing the four plugins keeps Pillow from loading all the others on the first open.
from PIL import (
    GifImagePlugin,  # noqa: F401
    Image,
    ImageChops,
    ImageCms,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from editor.errors import InvalidInput
from editor.media.formats import type_of, why_not

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_SIDE = 16_384  # pixels
THUMBNAILS = (160, 512, 1280)  # longest side, pixels

_MIB = 1024 * 1024
_NOT_DECLARED = {"", "application/octet-stream"}
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_LABELS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/gif": "GIF"}
_PILLOW_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
# A GIF has 256 colours and one bit of alpha; PNG loses nothing of its first frame.
_STORED_AS = {"image/gif": "image/png"}

_ALLOWED_SIZE = (
    f"the limit is {MAX_PIXELS / 1_000_000:g} megapixels and {MAX_SIDE} pixels per side. Make it smaller"
)

_ORIENTATION_TAG = 0x0112
# EXIF orientation (how the camera was held) -> the transform that makes the pixels upright; 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class BadImage(InvalidInput):
    """This file is not accepted as an image; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image that is safe to store and to show.

    content       the encoded image, sRGB, upright, without metadata
    content_type  image/jpeg, image/png or image/webp
    width         pixels
    height        pixels
    thumbnails    longest side in pixels (each of THUMBNAILS) -> WebP; never larger than the image
    """

    content: bytes
    content_type: str
    width: int
    height: int
    thumbnails: dict[int, bytes]


def check_length(length: int) -> None:
    """Raise BadImage for an empty file, or one of more than MAX_BYTES."""
    if length == 0:
        raise BadImage("The file is empty.")
    if length > MAX_BYTES:
        raise BadImage(
            f"The file is {length / _MIB:.1f} MiB; the limit is {MAX_BYTES // _MIB} MiB. "
            "Make it smaller, or export it at a lower quality."
        )


def identify(content: bytes, declared_type: str | None = None) -> str:
    """The content type of a supported file, by its first bytes. Cheap: opens nothing.

    declared_type  the sender's content type; None, "" and application/octet-stream are ignored

    Raises BadImage if the file is empty, too large, of another format or not of the declared type.
    """
    check_length(len(content))
    actual = type_of(content)
    if actual is None:
        raise BadImage(why_not(content))
    declared = (declared_type or "").partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    if declared not in _NOT_DECLARED and declared != actual:
        raise BadImage(
            f"The file was sent as {declared[:100]}, but it is a {_LABELS[actual]} image. "
            f"Send it as {actual}, or export it again."
        )
    return actual


def sanitise(content: bytes, declared_type: str | None) -> CleanImage:
    """Check a JPEG, PNG, WebP or GIF (its first frame) and re-encode it, with its thumbnails.

    JPEG, PNG and WebP keep their format, GIF becomes PNG. PNG and WebP keep their alpha.
    Raises BadImage with a message for the person who sent the file.
    """
    actual = identify(content, declared_type)
    image = decode(content, actual)
    content_type = _STORED_AS.get(actual, actual)
    return CleanImage(
        content=_encode(image, content_type),
        content_type=content_type,
        width=image.width,
        height=image.height,
        thumbnails=_thumbnails(image),
    )


def verify(content: bytes, declared_type: str | None) -> CleanImage:
    """Check a provider's result as `sanitise` does, but keep its bytes if browsers show them unchanged.

    An image that is rotated, has a colour profile, is animated or is a GIF is re-encoded.
    """
    actual = identify(content, declared_type)
    image = decode(content, actual)
    kept = actual not in _STORED_AS and _is_plain(content, actual)
    content_type = _STORED_AS.get(actual, actual)
    return CleanImage(
        content=content if kept else _encode(image, content_type),
        content_type=content_type,
        width=image.width,
        height=image.height,
        thumbnails=_thumbnails(image),
    )


def sanitise_mask(content: bytes, width: int, height: int) -> bytes:
    """A painted mask as a one-channel PNG of exactly `width` x `height` pixels.

    White means change, black keep, grey in between; transparent parts count as black. A
    mask of another size is scaled if it has the same aspect ratio. Raises BadImage.
    """
    mask = decode(content, identify(content))
    # One pixel of tolerance: a canvas scaled to fit the screen rounds its sides.
    off_by_height = abs(mask.width * height / width - mask.height)
    off_by_width = abs(mask.height * width / height - mask.width)
    if min(off_by_height, off_by_width) >= 1:
        raise BadImage(
            f"The mask is {mask.width} x {mask.height} pixels, but the image is {width} x {height}. "
            "Make the mask as large as the image."
        )
    grey = mask.convert("L")
    if mask.mode == "RGBA":
        grey = ImageChops.multiply(grey, mask.getchannel("A"))
    if grey.size != (width, height):
        grey = grey.resize((width, height), Image.Resampling.NEAREST)
    buffer = BytesIO()
    grey.save(buffer, "PNG")
    return buffer.getvalue()


def decode(content: bytes, content_type: str) -> Image.Image:
    """The pixels of the first frame alone: upright, 8 bits, sRGB, mode RGB or RGBA."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that `_check_size` refuses anyway, and about harmless oddities.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=(_PILLOW_NAMES[content_type],)) as file:
                _check_size(file.width, file.height)
                file.load()
                upright = _UPRIGHT.get(_orientation(file))
                image = _to_srgb(file, file.info.get("icc_profile"))
    except (BadImage, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise BadImage(f"The image has too many pixels; {_ALLOWED_SIZE}.") from error
    except Exception as error:
        # Pillow raises nearly any exception for a broken file, from OSError to IndexError.
        raise BadImage(
            f"This {_LABELS[content_type]} image is damaged or incomplete and cannot be opened. "
            "Export it again."
        ) from error
    if upright is not None:
        image = image.transpose(upright)
    # The encoders would copy profile, EXIF and comments from here into the new file.
    image.info = {}
    return image


def _check_size(width: int, height: int) -> None:
    """Refuse by the header alone, before a single pixel is decoded."""
    if width < 1 or height < 1:
        raise BadImage("The image has no pixels.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BadImage(
            f"The image has {width} x {height} pixels ({width * height / 1_000_000:.1f} megapixels); "
            f"{_ALLOWED_SIZE}."
        )


def _is_plain(content: bytes, content_type: str) -> bool:
    """Whether it is one upright frame of 8-bit sRGB or grey. `decode` must have opened it before."""
    with Image.open(BytesIO(content), formats=(_PILLOW_NAMES[content_type],)) as file:
        return (
            file.mode in ("L", "LA", "P", "RGB", "RGBA")
            and getattr(file, "n_frames", 1) == 1
            and not file.info.get("icc_profile")
            and _orientation(file) == 1
        )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 by default. A broken EXIF block is no reason to refuse the image."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) else 1


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A new RGB or RGBA image. Alpha is kept aside: it is not a colour."""
    if image.mode.startswith("I"):
        # 16 bits a pixel; `convert` alone would clip everything above 255.
        image = image.convert("I").point(lambda value: value / 257 + 0.5).convert("L")
        image.info.pop("transparency", None)  # a 16-bit grey, meaningless among 8-bit ones
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    colour = _apply_profile(image, profile) if profile else image.convert("RGB")
    if alpha is not None:
        colour.putalpha(alpha)
    return colour


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert the colours from an embedded ICC profile to sRGB; an unusable profile is ignored."""
    # A profile covers grey, RGB or CMYK values, but no palettes or alpha.
    colour = image if image.mode in ("L", "CMYK") else image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(colour, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return converted or image.convert("RGB")


def _encode(image: Image.Image, content_type: str) -> bytes:
    buffer = BytesIO()
    if content_type == "image/jpeg":
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling="4:4:4")
    elif content_type == "image/png":
        # Level 3 takes a third of the time of Pillow's usual 6, for about a tenth more bytes.
        image.save(buffer, "PNG", compress_level=3)
    else:
        # Method 2 takes a seventh of the time of Pillow's usual 4, for about the same bytes.
        image.save(buffer, "WEBP", quality=95, method=2)
    return buffer.getvalue()


def _thumbnails(image: Image.Image) -> dict[int, bytes]:
    """One WebP per size in THUMBNAILS, each made from the next larger one."""
    thumbnails: dict[int, bytes] = {}
    for side in sorted(THUMBNAILS, reverse=True):
        image = _fit(image, side)
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=82)
        thumbnails[side] = buffer.getvalue()
    return thumbnails


def _fit(image: Image.Image, side: int) -> Image.Image:
    """The image with its longest side at most `side` pixels, never enlarged."""
    longest = max(image.size)
    if longest <= side:
        return image
    size = (max(1, round(image.width * side / longest)), max(1, round(image.height * side / longest)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
