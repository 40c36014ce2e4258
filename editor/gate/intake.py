"""Pictures that come with a request, as bytes or as an address, become images of the workspace."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID
from weakref import WeakKeyDictionary

from editor.access.actor import Actor
from editor.db import in_storage_thread
from editor.media import safe_fetch, store
from editor.operations import images
from editor.operations.slots import Limit

FETCHED_AT_ONCE = safe_fetch.PLACES  # in this process: each is held in memory until it is stored

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, Limit] = WeakKeyDictionary()


async def fetched(actor: Actor, url: str) -> UUID:
    """The picture at that address, as one of the workspace's. Workspaces take turns.

    Raises InvalidInput (NotFetched, BadImage) for an address that must not be opened or holds no picture.
    """
    places = _places.setdefault(asyncio.get_running_loop(), Limit(FETCHED_AT_ONCE))
    async with places.held(str(actor.workspace.id), active=False):
        content, _ = await safe_fetch.fetch(url)
        return await given(actor, content, name=unquote(PurePosixPath(urlsplit(url).path).name))


async def given(actor: Actor, content: bytes, *, name: str = "") -> UUID:
    """The picture with these bytes, as one of the workspace's; `name` is what its sender calls the file.

    Senders are often wrong about the type: the bytes decide. Raises InvalidInput (BadImage).
    """
    clean = await store.aclean(content, None, tenant=str(actor.workspace.id))
    return (await in_storage_thread(images.add, actor=actor, clean=clean, name=name or "image")).id
