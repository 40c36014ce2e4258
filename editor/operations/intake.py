"""Pictures that come with a request, as bytes or as an address, become images of the workspace."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID

from editor.access.actor import Actor
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_thread
from editor.media import store
from editor.net import fetch
from editor.operations import images

FETCHED_AT_ONCE = fetch.AT_ONCE  # in this process: each is held in memory until it is stored

_slots = PerLoop(lambda: FairSemaphore(FETCHED_AT_ONCE))


async def fetched(actor: Actor, url: str) -> UUID:
    """The picture at that address, as one of the workspace's. Workspaces take turns.

    Raises InvalidInput (NotFetched, BadImage) for an address that must not be opened or holds no picture.
    """
    async with _slots.get().slot(str(actor.workspace.id)):
        content, _ = await fetch.fetch(url)
        return await given(actor, content, name=unquote(PurePosixPath(urlsplit(url).path).name))


async def given(actor: Actor, content: bytes, *, name: str = "") -> UUID:
    """The picture with these bytes, as one of the workspace's; `name` is what its sender calls the file.

    Senders are often wrong about the type: the bytes decide. Raises InvalidInput (BadImage).
    """
    clean = await store.aclean(content, None, tenant=str(actor.workspace.id))
    return (await in_thread(images.add, actor=actor, clean=clean, name=name or "image")).id
