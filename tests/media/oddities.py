"""Images in many odd ways: formats, colours, sizes, orientations, alpha, and broken ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import ExifTags, Image

from tests.media import colours
from tests.media.colours import CHUNKS, COLOURS, ICC
from tests.media.pictures import encode

MIME = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P", "L", "1"),
    "AVIF": ("RGB", "RGBA"),
}
SIDES = (1, 2, 3, 7, 8, 16, 17, 64, 100, 255, 256, 257, 400)
_HEADER_END = 33  # bytes of a PNG


@dataclass(frozen=True, slots=True)
class Odd:
    """kind  for a table of counts"""

    name: str
    kind: str
    content_type: str
    content: bytes


def oddities(count: int, *, seed: int = 13) -> Iterator[Odd]:
    """The same images for the same count and seed."""
    chance = random.Random(seed)
    known = [case for make in colours.MAKERS for case in make()]
    makers: list[Callable[[random.Random], tuple[str, str, bytes]]] = [
        lambda chance: _known(chance, known),
        _usual,
        _usual,
        _turned,
        _moving,
        _broken,
    ]
    for number in range(count):
        kind, content_type, content = makers[number % len(makers)](chance)
        # Half of them are called something else than they are.
        ending = chance.choice([content_type.removeprefix("image/"), chance.choice(list(MIME.values()))])
        yield Odd(f"{number:04}.{ending}", kind, content_type, content)


def _known(chance: random.Random, known: list[colours.Case]) -> tuple[str, str, bytes]:
    case = chance.choice(known)
    return "colour", case.content_type, case.content


def _usual(chance: random.Random) -> tuple[str, str, bytes]:
    pillow_format = chance.choice(list(MIME))
    content = _encoded(chance, _picture(chance), pillow_format, chance.choice(MODES[pillow_format]))
    return "format", f"image/{MIME[pillow_format]}", content


def _turned(chance: random.Random) -> tuple[str, str, bytes]:
    pillow_format = chance.choice(["PNG", "JPEG", "WEBP", "AVIF"])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = chance.randint(0, 9)
    content = encode(_picture(chance), pillow_format, exif=exif)
    return "orientation", f"image/{MIME[pillow_format]}", content


def _moving(chance: random.Random) -> tuple[str, str, bytes]:
    pillow_format = chance.choice(["PNG", "WEBP", "GIF", "AVIF"])
    first = _picture(chance)
    others = [first.transpose(Image.Transpose.ROTATE_180)] * chance.randint(1, 3)
    # A minute each: whoever looks at it sees the first.
    content = encode(first, pillow_format, save_all=True, append_images=others, duration=60_000)
    return "animation", f"image/{MIME[pillow_format]}", content


def _broken(chance: random.Random) -> tuple[str, str, bytes]:
    _, content_type, content = _usual(chance)
    damaged = bytearray(content)
    match chance.randrange(5):
        case 0:
            del damaged[chance.randrange(len(damaged)) :]
        case 1:
            for _ in range(chance.randint(1, 20)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        case 2:
            at = chance.randrange(len(damaged))
            damaged[at : at + 50] = bytes(len(damaged[at : at + 50]))
        case 3:
            damaged += chance.randbytes(chance.randint(1, 1000))
        case _:
            damaged[:0] = chance.randbytes(chance.randint(1, 20))
    return "broken", content_type, bytes(damaged)


def _encoded(chance: random.Random, picture: Image.Image, pillow_format: str, mode: str) -> bytes:
    image = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(chance.choice([0, 1, 128, 254, 255]))
    options: dict = {}
    if pillow_format in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = chance.choice([60, 80, 95])
        options["icc_profile"] = _fitting_profile(chance, mode)
    if pillow_format == "JPEG":
        options |= {"progressive": chance.random() < 0.5, "subsampling": chance.choice([0, 1, 2])}
    if pillow_format == "WEBP":
        options["lossless"] = chance.random() < 0.5
    content = encode(image, pillow_format, **options)
    if pillow_format == "PNG":
        chunks = CHUNKS[chance.choice(list(CHUNKS))]
        content = content[:_HEADER_END] + chunks + content[_HEADER_END:]
    return content


def _fitting_profile(chance: random.Random, mode: str) -> bytes:
    names = {"L": ["grey", "grey, sampled"], "CMYK": ["CMYK table"]}
    return ICC[chance.choice(names.get(mode, ["Adobe RGB", "Display P3", "swapped", "nothing"]))] or b""


def _picture(chance: random.Random) -> Image.Image:
    """Four fields of a colour each."""
    width, height = chance.choice(SIDES), chance.choice(SIDES)
    image = Image.new("RGB", (width, height))
    for index, colour in enumerate(chance.sample(COLOURS, 4)):
        left, top = index % 2 * (width // 2), index // 2 * (height // 2)
        image.paste(colour, (left, top, width, height))
    return image
