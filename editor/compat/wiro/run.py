"""Starting a run: from what its sender means to the job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from editor.access import lookups
from editor.access.actor import Actor
from editor.compat.wiro.body import File
from editor.compat.wiro.translate import Picture, Remote, Sample, Wish
from editor.db import in_storage_thread, in_thread
from editor.gate import intake
from editor.media import store
from editor.models import Job
from editor.operations import images, jobs
from editor.operations.callbacks import Callback
from editor.operations.jobs import NewEdit


def edit(wish: Wish, *, at: str) -> NewEdit:
    """The edit without its images; `at` is what links begin with."""
    return NewEdit(
        prompt=wish.prompt,
        model=wish.model.id,
        inputs=wish.inputs,
        callback=Callback(url=wish.callback_url, secret="", origin=at) if wish.callback_url else None,
    )


def check(actor: Actor, wish: Wish, request: NewEdit) -> None:
    """Raise what can be told before a picture is opened, or fetched."""
    jobs.check(actor=actor, request=request, images=len(wish.pictures), mask=wish.mask is not None)
    named = [picture for picture in (*wish.pictures, wish.mask) if isinstance(picture, UUID)]
    lookups.images(actor, named, at_most=len(named))


async def submit(actor: Actor, wish: Wish, request: NewEdit) -> Job:
    """Take the pictures in, one after the other, and start the edit. Raises EditorError."""
    image_ids = tuple([await _image(actor, picture) for picture in wish.pictures])
    mask_id = await _image(actor, wish.mask) if wish.mask else None
    run = in_storage_thread if mask_id else in_thread
    return await run(_submit, actor, replace(request, image_ids=image_ids), mask_id)


def _submit(actor: Actor, request: NewEdit, mask_id: UUID | None) -> Job:
    if mask_id:
        request = replace(request, mask=store.read(lookups.image(actor, mask_id).storage_name))
    return jobs.submit(actor=actor, request=request)


async def _image(actor: Actor, picture: Picture) -> UUID:
    """The image of the workspace that this is, or becomes."""
    match picture:
        case File():
            return await intake.given(actor, await asyncio.to_thread(picture.read), name=picture.name)
        case Sample():
            return (await in_storage_thread(images.find_or_add_sample, actor=actor, name=picture.name)).id
        case Remote():
            return await intake.fetched(actor, picture.url)
        case UUID():
            return picture
