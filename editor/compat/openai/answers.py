"""A job's results in OpenAI's format: one response, or a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from editor.compat.openai import translate
from editor.compat.openai.edits import check_ended
from editor.compat.openai.errors import rendered
from editor.concurrency.threads import in_storage_thread, in_thread
from editor.engine import waiting
from editor.errors import EditorError
from editor.media import links, store
from editor.models import Image, Job
from editor.queries import jobs as job_queries

log = logging.getLogger("editor.compat")

QUIET = 15.0  # seconds without events after which a comment keeps the connection open


def body(job: Job, *, as_url: bool, base_url: str) -> bytes:
    """The response body for a job with `shown_results`. Reads files: not for the event loop.

    base_url  scheme and host of links
    """
    results: list[Image] = job.shown_results  # type: ignore[attr-defined]
    data = [
        {"url": f"{base_url}{links.sign_lasting(image.id)}"} if as_url else {"b64_json": _encoded(image)}
        for image in results
    ]
    response = {"created": _created(job), "data": data, "usage": translate.usage(job.charged), **_extra(job)}
    if results:
        response |= _described(job, results[0])
    return json.dumps(response).encode()


async def events(job: Job, *, kind: str) -> AsyncIterator[bytes]:
    """The events of a call with stream=true: one per finished result, or an error.

    kind  prefix of their names, "image_generation" or "image_edit"

    No provider returns unfinished images, so there are no partial ones.
    """
    try:
        async with waiting.watching(job) as watch:
            while True:
                last = watch.ended.is_set()  # before the read, so that the row is not older than the end
                row = await in_thread(job_queries.read, job.id)
                if last or not row.is_live:
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watch.ended.wait(), QUIET)
                if not watch.ended.is_set():
                    yield b": still at work\n\n"
        check_ended(row)
        for image in row.shown_results:  # type: ignore[attr-defined]
            yield await in_storage_thread(_completed, row, image, kind)
    except EditorError as error:
        yield _event("error", rendered(error).body())
    except Exception:
        log.exception("the stream of job %s failed", job.id)
        yield _event("error", rendered(EditorError("The portal failed to handle this request.")).body())


def _completed(job: Job, image: Image, kind: str) -> bytes:
    name = f"{kind}.completed"
    data = {
        "type": name,
        "b64_json": _encoded(image),
        "created_at": _created(job),
        "usage": translate.usage(job.charged),
        **_described(job, image),
        **_extra(job),
    }
    return _event(name, data)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _described(job: Job, image: Image) -> dict[str, str]:
    return {
        "background": translate.background_given(job.inputs),
        "output_format": image.content_type.removeprefix("image/"),
        "quality": translate.quality_given(job.inputs),
        "size": f"{image.width}x{image.height}",
    }


def _extra(job: Job) -> dict[str, str]:
    """Fields that OpenAI does not have: the job and the model."""
    return {"job_id": str(job.id), "model": job.model}


def _created(job: Job) -> int:
    return int((job.finished_at or job.created_at).timestamp())


def _encoded(image: Image) -> str:
    return b64encode(store.read(image.storage_name)).decode()
