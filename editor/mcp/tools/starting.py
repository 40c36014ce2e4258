"""From pictures as agents name them, and a NewEdit, to a job."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from editor.access import lookups
from editor.access.actor import Actor
from editor.db import in_thread
from editor.errors import InvalidInput
from editor.gate import intake
from editor.media import store
from editor.models import Job
from editor.operations import jobs, uploads
from editor.operations.jobs import NewEdit


async def start(actor: Actor, edit: NewEdit, *, pictures: Sequence[str], mask: str = "") -> Job:
    """Submit the edit with these pictures, the source first, and a mask where one is given.

    Each is an https address, base64 (a data URL too), or the id of an image of the workspace. Raises
    EditorError.
    """
    named = [*pictures, *([mask] if mask else [])]
    if any(_id(text) is None for text in named):
        # Before anything is fetched or opened.
        await in_thread(jobs.check, actor=actor, request=edit, images=len(pictures), mask=bool(mask))
    ids = [await _image(actor, text) for text in named]
    await uploads.claim(actor=actor, image_ids=ids)
    mask_id = ids.pop() if mask else None
    return await in_thread(_submit, actor, replace(edit, image_ids=tuple(ids)), mask_id)


def _submit(actor: Actor, edit: NewEdit, mask_id: UUID | None) -> Job:
    if mask_id:
        edit = replace(edit, mask=store.read(lookups.image(actor, mask_id).storage_name))
    return jobs.submit(actor=actor, request=edit)


async def _image(actor: Actor, text: str) -> UUID:
    if image_id := _id(text):
        return image_id
    if text.lower().startswith(("https://", "http://")):
        return await intake.fetched(actor, text)
    return await intake.given(actor, await asyncio.to_thread(_bytes, text))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _bytes(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("An image must be an https URL, base64, or the id of an image.") from None
