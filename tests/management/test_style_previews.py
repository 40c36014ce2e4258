"""The system styles work offline, and their tiles show the sandbox's output."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from PIL import Image, ImageChops, ImageFont, ImageStat

from editor.models import Style
from editor.providers.sandbox.operations import Look
from editor.providers.sandbox.parser import parse, parse_poster
from editor.providers.sandbox.text import FONT_FILE
from tests.factories import make_workspace

MIGRATION = importlib.import_module("editor.migrations.0006_system_styles")
PROMPTS = {name: f"{look}, {MIGRATION.KEEP}" for name, look in MIGRATION.STYLES}
STATIC = Path(settings.BASE_DIR) / "static"
SAMPLE = STATIC / "samples" / "coffee.jpg"

TILE_WIDTH = 50  # CSS pixels of a column of tiles in the options beside the stage
TILE_FONT = 11.5  # CSS pixels
CHOSEN_WEIGHT = 560


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean difference of two images of the same size, in levels."""
    apart = ImageChops.difference(left.convert("RGB"), right.convert("RGB"))
    return sum(ImageStat.Stat(apart).mean) / 3


@pytest.fixture(scope="module")
def tiles() -> dict[str, Image.Image]:
    return {name: Image.open(STATIC / "styles" / f"{name.lower()}.webp") for name in PROMPTS}


@pytest.mark.django_db
def test_a_new_portal_has_the_styles_in_the_order_of_their_tiles() -> None:
    styles = Style.objects.filter(workspace=None).order_by("position")
    assert [(style.name, style.prompt) for style in styles] == list(PROMPTS.items())


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_sandbox_supports_each_style_with_any_prompt(prompt: str) -> None:
    looks = parse(prompt, images=1)
    assert looks
    assert all(isinstance(look, Look) for look in looks)
    assert parse(f"make it slightly brighter, {prompt}", images=1, masked=True)[1:] == looks
    assert parse_poster(f"A lighthouse, at dusk, {prompt}").looks == looks
    assert parse_poster(f"A lighthouse, at dusk, {prompt}").text == "A lighthouse, at dusk"


@pytest.mark.django_db
def test_the_previews_match_the_commands_output(tmp_path: Path, tiles: dict[str, Image.Image]) -> None:
    call_command("style_previews", into=tmp_path, stdout=io.StringIO())
    made = sorted(path.name for path in (tmp_path / "styles").iterdir())
    assert made == sorted(path.name for path in (STATIC / "styles").glob("*.webp"))
    for name, tile in tiles.items():
        again = Image.open(tmp_path / "styles" / f"{name.lower()}.webp")
        assert again.size == tile.size == (144, 144)
        assert difference(again, tile) < 3, name


@pytest.mark.django_db
def test_a_style_that_the_sandbox_does_not_support_is_named_and_skipped(tmp_path: Path) -> None:
    Style.objects.filter(workspace=None).exclude(name="Ink").delete()
    Style.objects.create(name="Clay", prompt="as a clay figure", preview="styles/clay.webp")
    Style.objects.create(name="Plain", prompt="sepia")
    Style.objects.create(workspace=make_workspace(), name="Ours", prompt="sepia", preview="styles/ours.webp")
    reported = io.StringIO()
    call_command("style_previews", into=tmp_path, stdout=io.StringIO(), stderr=reported)
    assert [path.name for path in (tmp_path / "styles").iterdir()] == ["ink.webp"]
    assert "Clay: The built-in sandbox does not understand “as a clay figure”" in reported.getvalue()


def test_no_two_tiles_look_alike_and_none_looks_like_the_photograph(tiles: dict[str, Image.Image]) -> None:
    photograph = Image.open(SAMPLE).crop((115, 0, 455, 340)).resize((144, 144))
    shown = {"None": photograph, **tiles}
    names = list(shown)
    for at, left in enumerate(names):
        for right in names[at + 1 :]:
            assert difference(shown[left], shown[right]) > 12, (left, right)


def test_the_tiles_are_small_files(tiles: dict[str, Image.Image]) -> None:
    sizes = {path.name: path.stat().st_size for path in (STATIC / "styles").glob("*.webp")}
    assert max(sizes.values()) < 8_000
    assert sum(sizes.values()) < 70_000


@pytest.mark.parametrize("name", PROMPTS)
def test_a_name_fits_on_one_line_beneath_its_tile(name: str) -> None:
    face = ImageFont.truetype(FONT_FILE, TILE_FONT * 10)
    face.set_variation_by_axes([14, CHOSEN_WEIGHT])
    assert face.getlength(name) / 10 <= TILE_WIDTH
