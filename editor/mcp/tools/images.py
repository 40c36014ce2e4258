"""Images as agents name them: by an https address, in base64 (a data URL too), or by id."""

from __future__ import annotations

import asyncio
from uuid import UUID

from editor.media import inputs
from editor.media.inputs import ImageInput


async def image_of(text: str) -> ImageInput:
    """What the text stands for; nothing is checked yet."""
    try:
        return UUID(text)
    except ValueError:
        return await asyncio.to_thread(inputs.from_text, text)
