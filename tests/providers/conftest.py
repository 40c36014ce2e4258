from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw

from editor.net import policy
from editor.providers import http
from tests.providers.pictures import SIZE, save

RED, BLUE, GREEN, SKIN = (205, 45, 40), (40, 80, 200), (50, 150, 70), (224, 172, 140)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture with light, shade, edges and colours, and no symmetry."""
    image = Image.linear_gradient("L").resize(SIZE).rotate(12).convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 79, 79), fill=RED)
    pen.rectangle((90, 20, 149, 69), fill=BLUE)
    pen.ellipse((160, 10, 229, 79), fill=GREEN)
    pen.rectangle((20, 95, 89, 139), fill=SKIN)
    return save(image, tmp_path / "photo.png")


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    """The emulators are on loopback, which the portal connects to only if its operator allows it."""
    policy.allow(["127.0.0.0/8"])
    yield
    policy.allow([])


@pytest.fixture(scope="session")
def certificates() -> ssl.SSLContext:
    """The machine's certificates, read once."""
    return httpx.create_ssl_context()


@pytest.fixture
async def connections(certificates: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Close the connections that the test opens after it.

    Each event loop, and so each test, would otherwise read the machine's certificates again, which takes
    longer than most of these tests.
    """
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **options: certificates)
    yield
    await http.close()
