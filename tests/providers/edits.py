"""Edits for an adapter, and running one to its end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from typing import Any

from PIL import Image

from editor.providers.base import (
    Account,
    EditRequest,
    ErrorKind,
    InputImage,
    Progress,
    Provider,
    ProviderError,
    Result,
    Submitted,
    Temporary,
)
from tests.emulators import checks
from tests.emulators.base import Emulator
from tests.patience import PATIENCE


def png(colour: str = "red", size: tuple[int, int] = (256, 256), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "navy").save(buffer, "JPEG")
    return buffer.getvalue()


def image(content: bytes, content_type: str = "image/png") -> InputImage:
    async def load() -> bytes:
        return content

    with Image.open(io.BytesIO(content)) as opened:
        return InputImage(content_type, *opened.size, load)


def account(emulator: Emulator, key: str | None = None) -> Account:
    """The emulator's own account, or one with another key."""
    return Account(
        base_url=emulator.url, key=emulator.key if key is None else key, secret=emulator.secret or ""
    )


def edit(
    emulator: Emulator,
    target: str,
    *images: bytes,
    mask: bytes | None = None,
    prompt: str = "make the sky stormy",
    callback_url: str | None = None,
    key: str | None = None,
    samples: int = 1,
    **inputs: Any,
) -> EditRequest:
    """An edit for the emulator's account."""
    return EditRequest(
        job_id="job-1",
        tenant="1",
        model="any/model",
        target=target,
        prompt=prompt,
        images=tuple(image(content) for content in images),
        mask=None if mask is None else image(mask),
        inputs=inputs,
        samples=samples,
        account=account(emulator, key),
        callback_url=callback_url,
    )


async def finish(provider: Provider, request: EditRequest, task: Submitted) -> Result:
    """Poll until the result."""
    async with asyncio.timeout(PATIENCE):
        while True:
            update = await provider.poll(request, task)
            if isinstance(update, Result):
                return update
            assert isinstance(update, Progress)
            await asyncio.sleep(0.01)


async def run(provider: Provider, request: EditRequest) -> Result:
    """Submit and poll to the end; an immediate provider returns the result at once."""
    task = await provider.submit(request)
    return task.result or await finish(provider, request, task)


def contents(links: Iterable[str]) -> list[bytes]:
    """The contents behind these links."""
    return [checks.http.get(link).content for link in links]


def is_final(error: ProviderError, kind: ErrorKind) -> bool:
    """Of this kind, and not to be retried."""
    return error.kind is kind and not isinstance(error, Temporary)


def is_temporary(error: ProviderError, kind: ErrorKind = ErrorKind.UNAVAILABLE) -> bool:
    """Of this kind, and may be retried."""
    return error.kind is kind and isinstance(error, Temporary)
