"""The bundled sample photographs: complete, small, clean and with their licence."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from editor.media.codec import sanitise
from editor.operations.images import SAMPLES
from tests.media.pictures import decode

FOLDER = Path(settings.BASE_DIR) / "static" / "samples"
PHOTOGRAPHS = [*(f"{name}.jpg" for name in SAMPLES), "login-before.jpg", "login-after.jpg"]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_is_small_without_metadata_and_has_its_licence_recorded(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    image = decode(content)

    assert len(content) < 200_000
    assert 400 < max(image.size) <= 1200
    assert not image.getexif()
    assert sanitise(content).content_type == "image/jpeg"
    assert f"| `{name}` |" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_a_thumbnail_of_the_same_shape(name: str) -> None:
    image = decode((FOLDER / f"{name}.jpg").read_bytes())
    thumbnail = decode((FOLDER / f"{name}-thumb.webp").read_bytes())

    assert thumbnail.width == 192
    assert abs(thumbnail.height - 192 * image.height / image.width) < 1
