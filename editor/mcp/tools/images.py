"""Images in arguments: an https URL, base64 (or a data URL), or an id."""

from __future__ import annotations

import asyncio
from uuid import UUID

from editor.media import inputs
from editor.media.inputs import ImageInput


async def image_of(text: str) -> ImageInput:
    """Parse the text; nothing is checked yet."""
    try:
        return UUID(text)
    except ValueError:
        return await asyncio.to_thread(inputs.from_text, text)
