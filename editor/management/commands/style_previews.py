"""`manage.py style_previews`: preview images for the system styles, made by the sandbox."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from PIL import Image

from editor.management.database import migrate
from editor.models import Style
from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.parser import parse
from editor.providers.sandbox.render import Output, Recipe, render

STATIC = Path(settings.BASE_DIR) / "static"
SAMPLE = STATIC / "samples" / "coffee.jpg"
CUP = (115, 0, 455, 340)  # crop of the sample: a whole cup is still recognizable at tile size
SIDE = 144  # pixels; a tile is 48 CSS pixels wide
SEED = 1


class Command(BaseCommand):
    help = "Create the preview of each system style that the sandbox can render, from a sample image."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--into", type=Path, default=STATIC, help="The static files folder.")

    def handle(self, *args: Any, into: Path, **options: Any) -> None:
        migrate()
        for style in Style.objects.filter(workspace=None, archived_at=None).exclude(preview=""):
            try:
                content = _preview(style.prompt)
            except Refused as refusal:
                self.stderr.write(f"{style.name}: {refusal}")
                continue
            path = into / style.preview
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self.stdout.write(f"{style.preview}: {len(content):,} bytes")


def _preview(prompt: str) -> bytes:
    """A small WebP of the sample in this style; deterministic. Raises Refused."""
    recipe = Recipe(parse(prompt, images=1), Output(), SEED)
    (edited,) = render(recipe, [SAMPLE], None, report=lambda percent: None)
    tile = Image.open(io.BytesIO(edited)).crop(CUP).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    tile.save(buffer, "WEBP", quality=82, method=6)
    return buffer.getvalue()
