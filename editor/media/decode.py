"""Open an untrusted image: its first frame, upright, in sRGB. Pure Pillow, no Django.

Meant to run in a child process: a hostile file may take much time and memory before it is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import pi_heif

# Importing the plugins keeps Pillow from loading all the others on the first open.
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from editor.media import colour, containers, limits
from editor.media.formats import LABELS
from editor.media.limits import PHOTOGRAPH, UPLOAD, BadImage

# One image in one child process: more threads would only take more memory.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.options.DECODE_THREADS = 1
pi_heif.options.THUMBNAILS = False
pi_heif.register_heif_opener()

_PILLOW_NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/avif": "AVIF",
}

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


@dataclass(frozen=True, slots=True)
class Decoded:
    """image          8 bits, mode RGB or RGBA, without metadata
    original_size  width and height in the file, if the image was made smaller
    plain          browsers show the file's values as they are: one upright frame of sRGB or grey
    """

    image: Image.Image
    original_size: tuple[int, int] | None
    plain: bool


def decode_upload(content: bytes, content_type: str) -> Decoded:
    """An upload; one of too many pixels is made smaller. Raises BadImage."""
    with _opened(content, content_type) as file:
        limits.check_upload_size(file.width, file.height, len(content))
        return _decoded(file, content, smaller=not UPLOAD.hold(file.width, file.height))


def decode_result(content: bytes, content_type: str) -> Decoded:
    """A provider's result, as large as it is. Raises BadImage."""
    with _opened(content, content_type) as file:
        limits.check_result_size(file.width, file.height)
        return _decoded(file, content, smaller=False)


def is_large(content: bytes, content_type: str) -> bool:
    """Whether the image has more pixels than uploads are kept with. Decodes none. Raises BadImage."""
    with _opened(content, content_type) as file:
        return not UPLOAD.hold(file.width, file.height)


@contextmanager
def _opened(content: bytes, content_type: str) -> Iterator[ImageFile.ImageFile]:
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that are checked here anyway, and about harmless oddities.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=(_PILLOW_NAMES[content_type],)) as file:
                yield file
    except (BadImage, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise BadImage(
            f"The image has too many pixels; the limit is {PHOTOGRAPH}. Make it smaller."
        ) from error
    except Exception as error:
        # Pillow raises nearly any exception for a broken file, from OSError to IndexError.
        raise BadImage(
            f"This {LABELS[content_type]} image is damaged or incomplete and cannot be opened. "
            "Export it again."
        ) from error


def _decoded(file: ImageFile.ImageFile, content: bytes, *, smaller: bool) -> Decoded:
    original_size = file.size
    if smaller:
        file.draft(None, UPLOAD.fit(*file.size))  # a JPEG can be decoded at half its size
    file.load()
    space, orientation = colour.space_of(file, content), _orientation(file, content)
    plain = (
        space.profile is None
        and file.mode in ("L", "LA", "P", "RGB", "RGBA")
        and getattr(file, "n_frames", 1) == 1
        and orientation == 1
    )
    image = colour.with_eight_bits(file)
    if not UPLOAD.hold(*image.size) and smaller:
        # Before the colours are converted: there are fewer of them then.
        image = image.resize(UPLOAD.fit(*image.size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = colour.to_srgb(image, space)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    # The encoders would copy profile, EXIF and comments from here into the new file.
    image.info = {}
    return Decoded(image, original_size if smaller else None, plain)


def _orientation(file: ImageFile.ImageFile, content: bytes) -> int:
    """The EXIF orientation where browsers follow it, 1 by default.

    They do in JPEG and before the pixels of a PNG, but neither in WebP nor in XMP. AVIF and HEIC have parts
    of their own for it: Pillow reports AVIF's as EXIF, and HEIC's is applied already.
    """
    match file.format:
        case "JPEG" | "MPO" | "AVIF":
            block = file.info.get("exif", b"")
        case "PNG":
            block = containers.png_chunks(content).get(b"eXIf", b"")
        case _:
            return 1
    exif = Image.Exif()
    try:
        exif.load(block)
        value = exif.get(_ORIENTATION_TAG, 1)
    except Exception:
        return 1  # a broken block is no reason to refuse the image
    return value if isinstance(value, int) else 1
