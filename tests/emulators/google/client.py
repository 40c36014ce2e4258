"""Helpers to call the emulator."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx

from tests.emulators.checks import http, photo
from tests.emulators.google.app import Google

PNG = b64encode(photo()).decode()
JPEG = b64encode(photo(200, 300, "JPEG")).decode()
SOFA: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Replace the sofa with the one in image 2."},
                {"inlineData": {"mimeType": "image/png", "data": PNG}},
                {"inlineData": {"mimeType": "image/jpeg", "data": JPEG}},
            ],
        }
    ],
    "generationConfig": {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_ONLY_HIGH"}],
}
MODEL = "gemini-nano-banana-2.1"


def asking(text: str = "a red chair", **config: Any) -> dict[str, Any]:
    """A request of one text, with these members of generationConfig."""
    return {"contents": [{"parts": [{"text": text}]}], "generationConfig": config}


def generate(
    google: Google,
    body: Any = SOFA,
    *,
    model: str = MODEL,
    call: str = "generateContent",
    version: str = "v1beta",
) -> httpx.Response:
    return http.post(
        f"{google.url}/{version}/models/{model}:{call}",
        json=body,
        headers={"x-goog-api-key": google.key},
    )


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert list(body) == ["error"]
    found: dict[str, Any] = body["error"]
    assert list(found)[:3] == ["code", "message", "status"]
    assert found["code"] == status
    return found
