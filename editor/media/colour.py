"""Turn an image's colours into sRGB, as browsers show them. Pure Pillow, no Django.

The reference is what Chromium draws on a canvas: `tests/e2e/test_colours.py` compares the two.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops, ImageCms

from editor.media import cicp, containers, icc
from editor.media.icc import BT709, Curve, Primaries

_FULL_RANGE = b"\x00\x01"  # RGB and not YCC, and all values from 0 to 255
_PNG_GREY = (0, 4)  # colour types: without alpha, with it
_CAMERAS, _SRGB = (1, 6, 14, 15), 13  # transfer characteristics
_SRGB_GAMMA = 45_455  # in the unit of gAMA
_STEEPEST = 1000.0  # exponent: all but white is black, and a profile can hold it


@dataclass(frozen=True, slots=True)
class Space:
    """The meaning of a file's values.

    profile  from them to colours; None if they are sRGB
    grey     the file has one channel of colour, whatever Pillow opens it as
    """

    profile: ImageCms.ImageCmsProfile | None = None
    grey: bool = False


def space_of(image: Image.Image, content: bytes) -> Space:
    """The colour space of an open image; `content` is its file."""
    if image.format == "PNG":
        return _png_space(image, containers.png_chunks(content))
    if image.format == "WEBP" and getattr(image, "is_animated", False):
        return Space()  # browsers ignore the profile
    profile = _opened(image.info.get("icc_profile"))
    if profile is None and image.format in ("AVIF", "HEIF") and (points := containers.nclx(content)):
        # Photographs name the curve of cameras where they mean sRGB's.
        transfer = _SRGB if points.transfer in _CAMERAS else points.transfer
        return _by_code_points(points.primaries, transfer)
    return Space(profile, grey=image.mode == "L")


def with_eight_bits(image: Image.Image) -> Image.Image:
    """The values of a loaded image in one of the modes L, RGB, RGBA and CMYK."""
    if image.mode.startswith("I"):
        # 16 bits: browsers show the upper eight.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        image.info.pop("transparency", None)  # a 16-bit grey, meaningless among 8-bit ones
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def to_srgb(image: Image.Image, space: Space) -> Image.Image:
    """A new RGB or RGBA image from one `with_eight_bits`. Alpha is kept aside: it is not a colour."""
    colour = _converted(image, space) or image.convert("RGB")
    if image.mode == "RGBA":
        colour.putalpha(image.getchannel("A"))
    return colour


def _converted(image: Image.Image, space: Space) -> Image.Image | None:
    """The colours in sRGB; None without a profile, with one for another kind of image, or a broken one."""
    if space.profile is None:
        return None
    kind = space.profile.profile.xcolor_space.strip()
    if kind == "CMYK" and image.mode == "CMYK":
        values = _without_black(image)
    elif kind == "GRAY" and space.grey:
        values = image.convert("L")
    elif kind == "RGB" and image.mode != "CMYK":
        values = image.convert("RGB")
    else:
        return None
    try:
        return ImageCms.profileToProfile(
            values, space.profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _without_black(image: Image.Image) -> Image.Image:
    """CMYK with black mixed from the three other inks: Chromium hands it to the profile like that."""
    cyan, magenta, yellow = ImageChops.invert(image.convert("RGB")).split()
    return Image.merge("CMYK", (cyan, magenta, yellow, Image.new("L", image.size)))


def _png_space(image: Image.Image, chunks: dict[bytes, bytes]) -> Space:
    """By the first of the chunks that counts, see the PNG specification, section 4.3."""
    code_points = chunks.get(b"cICP", b"")
    if code_points[2:] == _FULL_RANGE and cicp.is_known(*code_points[:2]):
        return _by_code_points(*code_points[:2])
    profile = _opened(image.info.get("icc_profile"))
    if profile is None and b"sRGB" not in chunks:
        profile = _opened(_from_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")))
    return Space(profile, grey=chunks[b"IHDR"][9] in _PNG_GREY)


def _from_gamma(gama: bytes, chrm: bytes) -> bytes | None:
    """The profile of PNG's gAMA and cHRM; None for sRGB, and for what makes no sense.

    As in browsers, cHRM counts with gAMA only, and gAMA alone only if it differs from sRGB's by 5 %.
    """
    if len(gama) != 4 or gama == bytes(4):
        return None
    gamma = int.from_bytes(gama)
    curve = Curve(min(_STEEPEST, 100_000 / gamma))
    if len(chrm) != 32:
        return None if abs(gamma / _SRGB_GAMMA - 1) <= 0.05 else icc.profile(BT709, curve)
    values = [value / 100_000 for value in struct.unpack(">8I", chrm)]
    white, red, green, blue = zip(values[::2], values[1::2], strict=True)
    try:
        return icc.profile(Primaries(white, red, green, blue), curve)
    except ValueError:
        return None


def _by_code_points(primaries: int, transfer: int) -> Space:
    if not cicp.is_known(primaries, transfer):
        return Space()
    return Space(_opened(cicp.profile(primaries, transfer)))


def _opened(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """None for a profile that cannot be used."""
    if not profile:
        return None
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
