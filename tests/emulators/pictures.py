"""The images in emulators' responses: real files, the same for the same prompt and seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO

from PIL import Image

CELLS = 8  # the pattern is this many cells wide and high


@dataclass(frozen=True)
class Picture:
    """One result. `format` is png, jpeg or webp; `index` distinguishes several of one task."""

    prompt: str
    seed: int
    width: int  # pixels
    height: int  # pixels
    format: str = "png"
    index: int = 0

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return _render(self)

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"

    def shrunk(self, longest_side: int | None) -> Picture:
        """The same within `longest_side` pixels, for tests that need many; None leaves it unchanged."""
        if longest_side is None or max(self.width, self.height) <= longest_side:
            return self
        scale = longest_side / max(self.width, self.height)
        return replace(
            self, width=max(1, round(self.width * scale)), height=max(1, round(self.height * scale))
        )


@lru_cache(maxsize=64)
def _render(picture: Picture) -> bytes:
    """Coloured cells from a hash of all but the format and size, so that a thumbnail is recognizable too."""
    name = f"{picture.prompt}\n{picture.seed}\n{picture.index}"
    colours = hashlib.shake_256(name.encode()).digest(CELLS * CELLS * 3)
    image = Image.frombytes("RGB", (CELLS, CELLS), colours)
    image = image.resize((picture.width, picture.height), Image.Resampling.NEAREST)
    options = {"png": {"compress_level": 1}, "jpeg": {"quality": 90}, "webp": {"quality": 90, "method": 0}}
    buffer = BytesIO()
    image.save(buffer, picture.format, **options[picture.format])
    return buffer.getvalue()
