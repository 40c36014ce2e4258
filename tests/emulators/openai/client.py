"""Helpers to call the emulator."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import httpx
from PIL import Image

from tests.emulators.checks import http, photo
from tests.emulators.openai.app import OpenAi

CHAIR = {
    "model": "gpt-image-2.6-sunburst",
    "prompt": "a red chair",
    "n": 1,
    "size": "1024x1024",
    "quality": "medium",
    "output_format": "png",
}
SOFA = {"model": "gpt-image-2.6-sunburst", "prompt": "make the sofa green", "size": "1536x1024"}
ROOM = ("image[]", ("room.png", photo(), "image/png"))


def mask(width: int = 320, height: int = 256, mode: str = "RGBA") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


MASK = ("mask", ("m.png", mask(), "image/png"))


def generate(emulator: OpenAi, body: Any = CHAIR) -> httpx.Response:
    headers = {"authorization": f"Bearer {emulator.key}"}
    url = f"{emulator.url}/v1/images/generations"
    return http.post(url, json=body, headers=headers)


def edit(
    emulator: OpenAi, fields: dict[str, str] | None = None, *parts: tuple[str, tuple[str, bytes, str]]
) -> httpx.Response:
    """Send an edit with form fields that are added to SOFA, and files; one image if none is given."""
    return http.post(
        f"{emulator.url}/v1/images/edits",
        data={**SOFA, **(fields or {})},
        files=list(parts or (ROOM,)),
        headers={"authorization": f"Bearer {emulator.key}"},
    )


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["x-request-id"].startswith("req_")
    body: dict[str, Any] = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"])[:4] == ["message", "type", "param", "code"]
    found: dict[str, Any] = body["error"]
    return found
