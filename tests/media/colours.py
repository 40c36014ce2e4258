"""Files that speak of colour in every way a PNG, JPEG, WebP or GIF can."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from tests.media import profiles
from tests.media.pictures import encode, png, png_chunk

COLOURS = [(200, 60, 40), (40, 160, 80), (30, 70, 190), (128, 128, 128)]
GREYS = [20, 100, 180, 240]
INKS = [(20, 200, 220, 10), (180, 30, 200, 20), (220, 150, 10, 40), (0, 0, 0, 140)]
CELL = 16  # pixels: whole blocks of JPEG, so that nothing bleeds


@dataclass(frozen=True, slots=True)
class Case:
    """A file of four fields side by side, each CELL pixels wide and high."""

    name: str
    content_type: str
    content: bytes


POINTS = [(CELL * i + CELL // 2, CELL // 2) for i in range(4)]


def fields(mode: str, values: list) -> Image.Image:
    image = Image.new(mode, (CELL * 4, CELL))
    for index, value in enumerate(values):
        image.paste(value, (CELL * index, 0, CELL * (index + 1), CELL))
    return image


def _rows(pixels: list[bytes]) -> bytes:
    return (b"\0" + b"".join(pixel * CELL for pixel in pixels)) * CELL


def _wide(*values: int) -> bytes:
    """Values of 8 bits as those of 16."""
    return struct.pack(f">{len(values)}H", *(value * 257 for value in values))


_PALETTE = png_chunk(b"PLTE", bytes(value for colour in COLOURS for value in colour))
_INDEXES = _rows([bytes([i]) for i in range(4)])
# Kind of PNG -> its bits, colour type, rows and chunks before the pixels but after those of colour.
PNG_KINDS: dict[str, tuple[int, int, bytes, bytes]] = {
    "rgb": (8, 2, _rows([bytes(colour) for colour in COLOURS]), b""),
    "rgba": (8, 6, _rows([bytes((*colour, 255)) for colour in COLOURS]), b""),
    "half": (8, 6, _rows([bytes((*colour, 128)) for colour in COLOURS]), b""),
    "grey": (8, 0, _rows([bytes([grey]) for grey in GREYS]), b""),
    "grey alpha": (8, 4, _rows([bytes([grey, 255]) for grey in GREYS]), b""),
    "palette": (8, 3, _INDEXES, _PALETTE),
    "palette alpha": (
        8,
        3,
        _rows([bytes([i]) for i in range(4)]),
        _PALETTE + png_chunk(b"tRNS", b"\xff\x80"),
    ),
    "keyed": (8, 2, _rows([bytes(c) for c in COLOURS]), png_chunk(b"tRNS", struct.pack(">3H", *COLOURS[1]))),
    "rgb 16": (16, 2, _rows([_wide(*colour) for colour in COLOURS]), b""),
    "rgba 16": (16, 6, _rows([_wide(*colour, 255) for colour in COLOURS]), b""),
    "grey 16": (16, 0, _rows([_wide(grey) for grey in GREYS]), b""),
    "grey alpha 16": (16, 4, _rows([_wide(grey, 255) for grey in GREYS]), b""),
    "grey 1": (1, 0, (b"\0" + b"\xff\x00\xf0\x0f\xff\xff\x00\x00") * CELL, b""),
}


def _gama(value: int) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", value))


def _chrm(*values: float) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def _iccp(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def _cicp(*values: int) -> bytes:
    return png_chunk(b"cICP", bytes(values))


SRGB = png_chunk(b"sRGB", b"\0")
CHRM_ADOBE = _chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
CHRM_SRGB = _chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
CHRM_SENSELESS = _chrm(0, 0, 0, 0, 0, 0, 0, 0)

CHUNKS: dict[str, bytes] = {
    "nothing": b"",
    "gAMA 1.0": _gama(100_000),
    "gAMA 1/1.8": _gama(55_556),
    "gAMA 1/2.2": _gama(45_455),
    "gAMA 1/2.6": _gama(38_462),
    "gAMA 0": _gama(0),
    "gAMA huge": _gama(2**31 - 1),
    "cHRM": CHRM_ADOBE,
    "cHRM gAMA": CHRM_ADOBE + _gama(45_470),
    "gAMA cHRM": _gama(45_470) + CHRM_ADOBE,
    "cHRM senseless": CHRM_SENSELESS + _gama(45_455),
    "cHRM of sRGB, gAMA 1.0": CHRM_SRGB + _gama(100_000),
    "sRGB": SRGB,
    "sRGB over gAMA and cHRM": SRGB + _gama(100_000) + CHRM_ADOBE,
    "gAMA and cHRM under sRGB": _gama(100_000) + CHRM_ADOBE + SRGB,
    "iCCP": _iccp(profiles.adobe_rgb),
    "iCCP P3": _iccp(profiles.display_p3),
    "iCCP swapped": _iccp(profiles.swapped),
    "iCCP table": _iccp(profiles.rgb_table),
    "iCCP grey": _iccp(profiles.grey_gamma_1),
    "iCCP grey, sampled": _iccp(profiles.grey_dot_gain),
    "iCCP over gAMA": _gama(100_000) + _iccp(profiles.swapped),
    "iCCP and sRGB": _iccp(profiles.swapped) + SRGB,
    "iCCP broken": _iccp(b"no profile"),
    "iCCP broken, gAMA 1.0": _iccp(b"no profile") + _gama(100_000),
    "iCCP without curves": _iccp(profiles.no_curves),
    "iCCP CMYK table": _iccp(profiles.cmyk_table),
    "cICP sRGB": _cicp(1, 13, 0, 1),
    "cICP P3": _cicp(12, 13, 0, 1),
    "cICP 709": _cicp(1, 1, 0, 1),
    "cICP linear": _cicp(1, 8, 0, 1),
    "cICP 2.2": _cicp(1, 4, 0, 1),
    "cICP 2.8": _cicp(1, 5, 0, 1),
    "cICP PAL": _cicp(5, 6, 0, 1),
    "cICP NTSC": _cicp(6, 6, 0, 1),
    "cICP 240": _cicp(7, 7, 0, 1),
    "cICP 470M": _cicp(4, 4, 0, 1),
    "cICP film": _cicp(8, 1, 0, 1),
    "cICP 2020": _cicp(9, 14, 0, 1),
    "cICP 2020 12": _cicp(9, 15, 0, 1),
    "cICP XYZ": _cicp(10, 8, 0, 1),
    "cICP DCI": _cicp(11, 17, 0, 1),
    "cICP EBU": _cicp(22, 13, 0, 1),
    "cICP xvYCC": _cicp(1, 11, 0, 1),
    "cICP 1361": _cicp(1, 12, 0, 1),
    "cICP log": _cicp(1, 9, 0, 1),
    "cICP log sqrt": _cicp(1, 10, 0, 1),
    "cICP PQ table": _cicp(9, 16, 0, 1),
    "cICP PQ table, P3": _cicp(12, 16, 0, 1),
    "cICP HLG table": _cicp(9, 18, 0, 1),
    "cICP unknown": _cicp(2, 2, 0, 1),
    "cICP unknown primaries": _cicp(2, 8, 0, 1),
    "cICP unknown curve": _cicp(12, 2, 0, 1),
    "cICP reserved": _cicp(3, 3, 0, 1),
    "cICP narrow": _cicp(12, 13, 0, 0),
    "cICP over iCCP": _cicp(12, 13, 0, 1) + _iccp(profiles.swapped),
    "cICP unknown, iCCP": _cicp(2, 2, 0, 1) + _iccp(profiles.swapped),
    "cICP unknown, gAMA 1.0": _cicp(2, 2, 0, 1) + _gama(100_000),
    "cICP over sRGB": SRGB + _cicp(12, 13, 0, 1),
    "cICP over gAMA": _gama(100_000) + _cicp(12, 13, 0, 1),
}


def png_of(kind: str, chunks: bytes, after: bytes = b"") -> bytes:
    """A PNG of this kind; `after`: chunks after the palette."""
    bits, colour_type, rows, own = PNG_KINDS[kind]
    return png(CELL * 4, CELL, bits=bits, colour_type=colour_type, rows=rows, extra=chunks + own + after)


def every_png() -> Iterator[Case]:
    for kind in PNG_KINDS:
        for name, chunks in CHUNKS.items():
            yield Case(f"PNG {kind}: {name}", "image/png", png_of(kind, chunks))
    late = png_of("rgb", b"")
    late = late[:-12] + _gama(100_000) + late[-12:]
    yield Case("PNG: gAMA after the pixels", "image/png", late)
    yield Case("PNG palette: gAMA after it", "image/png", png_of("palette", b"", _gama(100_000)))
    twice = png_of("rgb", _gama(100_000) + _gama(45_455))
    yield Case("PNG: gAMA twice", "image/png", twice)


ICC: dict[str, bytes | None] = {
    "nothing": None,
    "Adobe RGB": profiles.adobe_rgb,
    "Display P3": profiles.display_p3,
    "swapped": profiles.swapped,
    "table": profiles.rgb_table,
    "grey": profiles.grey_gamma_1,
    "grey, sampled": profiles.grey_dot_gain,
    "CMYK table": profiles.cmyk_table,
    "broken": b"no profile",
    "without curves": profiles.no_curves,
}


def every_jpeg() -> Iterator[Case]:
    images = {
        "rgb": (fields("RGB", COLOURS), {}),
        "grey": (fields("L", GREYS), {}),
        "cmyk": (fields("CMYK", INKS), {}),
        "rgb, not as YCC": (fields("RGB", COLOURS), {"keep_rgb": True}),
        "progressive": (fields("RGB", COLOURS), {"progressive": True}),
    }
    for kind, (image, options) in images.items():
        for name, profile in ICC.items():
            content = encode(image, "JPEG", quality=100, subsampling=0, icc_profile=profile, **options)
            yield Case(f"JPEG {kind}: {name}", "image/jpeg", content)
            if kind == "cmyk":
                # Without Adobe's marker the inks are not inverted.
                start = content.index(b"\xff\xee")
                yield Case(
                    f"JPEG cmyk, no Adobe: {name}", "image/jpeg", content[:start] + content[start + 16 :]
                )
                turned = content[: start + 15] + b"\2" + content[start + 16 :]
                yield Case(f"JPEG ycck: {name}", "image/jpeg", turned)


def every_webp() -> Iterator[Case]:
    images = {
        "rgb": fields("RGB", COLOURS),
        "alpha": fields("RGBA", [(*colour, 128) for colour in COLOURS]),
        "grey": fields("L", GREYS).convert("RGB"),
    }
    for kind, image in images.items():
        for lossless in (True, False):
            for name, profile in ICC.items():
                content = encode(image, "WEBP", lossless=lossless, quality=100, icc_profile=profile or b"")
                how = "lossless" if lossless else "lossy"
                yield Case(f"WebP {kind}, {how}: {name}", "image/webp", content)
    moving = encode(
        images["rgb"],
        "WEBP",
        save_all=True,
        append_images=[fields("RGB", COLOURS[::-1])],
        lossless=True,
        icc_profile=profiles.swapped,
    )
    yield Case("WebP animated: swapped", "image/webp", moving)


def every_gif() -> Iterator[Case]:
    image = fields("RGB", COLOURS).quantize(4)
    yield Case("GIF", "image/gif", encode(image, "GIF"))
    yield Case("GIF transparent", "image/gif", encode(image, "GIF", transparency=1))
    content = encode(image, "GIF")
    profile = profiles.swapped
    parts = [profile[i : i + 255] for i in range(0, len(profile), 255)]
    block = b"!\xff\x0bICCRGBG1012" + b"".join(bytes([len(p)]) + p for p in parts) + b"\0"
    at = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    yield Case("GIF: ICC", "image/gif", content[:at] + block + content[at:])


_AVIF_CODE_POINTS = [(1, 13), (12, 13), (9, 14), (1, 8), (2, 2), (1, 1), (1, 4), (12, 8), (9, 16), (9, 18)]


def every_avif() -> Iterator[Case]:
    images = {
        "rgb": fields("RGB", COLOURS),
        "alpha": fields("RGBA", [(*colour, 128) for colour in COLOURS]),
        "grey": fields("L", GREYS),
    }
    for kind, image in images.items():
        content = encode(image, "AVIF", quality=100, subsampling="4:4:4")
        at = content.index(b"colrnclx") + 8
        for primaries, transfer in (
            (1, 13),
            (12, 13),
            (9, 14),
            (1, 8),
            (2, 2),
            (1, 1),
            (1, 4),
            (12, 8),
            (9, 16),
            (9, 18),
        ):
            points = struct.pack(">2H", primaries, transfer)
            name = f"AVIF {kind}: code points {primaries}, {transfer}"
            yield Case(name, "image/avif", content[:at] + points + content[at + 4 :])
    for name in ("Adobe RGB", "Display P3", "swapped", "table"):
        content = encode(images["rgb"], "AVIF", quality=100, subsampling="4:4:4", icc_profile=ICC[name])
        yield Case(f"AVIF: {name}", "image/avif", content)


MAKERS = (every_png, every_jpeg, every_webp, every_gif, every_avif)
