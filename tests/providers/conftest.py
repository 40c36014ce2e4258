from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from editor.net import policy
from tests.providers.pictures import SIZE, save

RED, BLUE, GREEN, SKIN = (205, 45, 40), (40, 80, 200), (50, 150, 70), (224, 172, 140)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Something with light, shade, edges and colours, and no symmetry."""
    image = Image.linear_gradient("L").resize(SIZE).rotate(12).convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 79, 79), fill=RED)
    pen.rectangle((90, 20, 149, 69), fill=BLUE)
    pen.ellipse((160, 10, 229, 79), fill=GREEN)
    pen.rectangle((20, 95, 89, 139), fill=SKIN)
    return save(image, tmp_path / "photo.png")


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    """The emulators are on this machine, which the portal asks only where its operator allows it."""
    policy.allow(["127.0.0.0/8"])
    yield
    policy.allow([])
