"""The sandbox as a provider: `submit` checks prompts, a child process makes the images.

The work starts with the first `poll`, not with `submit`. So a task that is unknown to this
process (after a restart) is simply started again: same recipe, same seed, same bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.concurrency import processes
from editor.providers.base import (
    EditRequest,
    ErrorKind,
    InputImage,
    Progress,
    Provider,
    ProviderError,
    Result,
    ResultImage,
    Submitted,
)
from editor.providers.failures import not_sent
from editor.providers.sandbox import parser, render, testwords, text
from editor.providers.sandbox.errors import REAL_PROVIDER, Refused
from editor.providers.sandbox.operations import Caption, Operation
from editor.shortage import is_shortage

logger = logging.getLogger("editor.sandbox")
processes.preload(render.__name__)

RENDER_LIMIT = 60.0  # seconds for all samples of one job
POLL_HOLD = 1.0  # seconds a poll waits for news before it returns
WAIT = 0.1  # seconds until the next poll; short, because a poll itself waits for news
SLOW_SHARE = 90  # percent of the progress for the [slow] wait; the rest is the real work
MOST_SAMPLES = 8


@dataclass(slots=True)
class _Work:
    """A task running in this process."""

    task: asyncio.Task[Result]
    news: asyncio.Event
    percent: int = 0


class Sandbox(Provider):
    """The sandbox provider. Holds the running tasks of one event loop."""

    name = "sandbox"
    label = "Built-in sandbox"
    needs_key = False
    shortest_wait = 0  # a poll starts the work, and waits for news itself
    idempotent = True  # submit only checks the prompt; nothing is charged

    def __init__(self) -> None:
        self._work: dict[str, _Work] = {}

    async def submit(self, request: EditRequest) -> Submitted:
        """Check the prompt. Raises INVALID_INPUT for what the sandbox cannot do."""
        if testwords.extract(request.prompt)[1].fail_submit:
            raise ProviderError(
                ErrorKind.UNAVAILABLE, "The sandbox refused the task, as [fail:submit] asked."
            )
        try:
            _recipe(request)
        except Refused as refusal:
            raise ProviderError(ErrorKind.INVALID_INPUT, str(refusal)) from refusal
        task_id = uuid.uuid4().hex
        logger.info("accepted task=%s job=%s", task_id, request.job_id)
        return Submitted(task_id=task_id, state={"started_at": time.time()})

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Wait up to a second for news. The poll that gets the result or the error ends the task."""
        _, words = testwords.extract(request.prompt)
        if words.timeout:
            return Progress(wait=POLL_HOLD)
        elapsed = time.time() - float(task.state["started_at"])
        if elapsed < words.slow:
            # Nothing is held during this wait: no slot, no image, no thread.
            percent = max(0, int(SLOW_SHARE * elapsed / words.slow))
            return Progress(percent=percent, wait=min(POLL_HOLD, words.slow - elapsed))
        if words.moderate:
            raise ProviderError(ErrorKind.MODERATED, "The sandbox withheld the result, as [moderate] asked.")
        if words.fail:
            raise ProviderError(ErrorKind.UNAVAILABLE, "The sandbox failed, as [fail] asked.")

        work = self._work.get(task.task_id)
        if work is None or work.task.cancelled():  # unknown here, or its event loop has ended
            work = self._start(request, task)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(work.news.wait(), POLL_HOLD)
        work.news.clear()
        if not work.task.done():
            base = SLOW_SHARE if words.slow else 0
            return Progress(percent=base + work.percent * (100 - base) // 100, wait=WAIT)
        self._work.pop(task.task_id, None)
        if work.task.cancelled():
            return Progress(wait=WAIT)  # cancelled from outside; the next poll starts over
        return work.task.result()

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        """Kill the child process, or remove the work from the queue."""
        work = self._work.pop(task.task_id, None)
        if work is not None:
            work.task.cancel()
            await asyncio.wait({work.task})

    def _start(self, request: EditRequest, task: Submitted) -> _Work:
        news = asyncio.Event()

        def note(percent: int) -> None:
            work.percent = percent
            news.set()

        work = _Work(task=asyncio.create_task(_make(request, note)), news=news)
        work.task.add_done_callback(lambda done: news.set())
        self._work[task.task_id] = work
        return work


async def _make(request: EditRequest, note: Callable[[int], None]) -> Result:
    """Do the whole work of one task. Raises ProviderError."""
    try:
        recipe = _recipe(request)
        with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
            # On disk, so that jobs waiting for a slot do not fill the memory with images.
            images = [await _spool(image, Path(folder)) for image in request.images]
            mask = await _spool(request.mask, Path(folder)) if request.mask is not None else None
            encoded = await processes.run(
                render.render,
                recipe,
                images,
                mask,
                tenant=request.tenant,
                timeout=RENDER_LIMIT,
                on_progress=note,
            )
    except Refused as refusal:
        raise ProviderError(ErrorKind.INVALID_INPUT, str(refusal)) from refusal
    except processes.TimedOut as error:
        message = (
            f"The sandbox needed more than {RENDER_LIMIT:g} seconds. Try a smaller image or fewer samples."
        )
        raise ProviderError(ErrorKind.TIMEOUT, message) from error
    except Exception as error:
        if is_shortage(error):
            raise not_sent() from error
        logger.exception("failed job=%s", request.job_id)
        raise ProviderError(
            ErrorKind.UNAVAILABLE, "The sandbox failed while processing the image."
        ) from error
    content_type = f"image/{recipe.output.format}"
    return Result(
        images=tuple(ResultImage(content=content, content_type=content_type) for content in encoded),
        seed=recipe.seed,
    )


async def _spool(image: InputImage, folder: Path) -> Path:
    path = folder / uuid.uuid4().hex
    content = await image.load()
    await asyncio.to_thread(path.write_bytes, content)
    return path


def _recipe(request: EditRequest) -> render.Recipe:
    """What to do for this request. Pure. Raises Refused."""
    prompt, _ = testwords.extract(request.prompt)
    inputs = request.inputs
    work: tuple[Operation, ...] | parser.Poster
    if request.images:
        written = None if request.written is None else testwords.extract(request.written)[0]
        masked = request.mask is not None
        work = parser.parse(prompt, images=len(request.images), masked=masked, written=written)
        _check_letters("".join(operation.text for operation in work if isinstance(operation, Caption)))
    else:
        work = _poster(prompt)
    return render.Recipe(
        work=work,
        output=render.Output(
            format="jpeg" if inputs.get("outputFormat") in {"jpeg", "jpg"} else "png",
            ratio=_ratio(inputs),
            width=_number(inputs, "width") or None,
            height=_number(inputs, "height") or None,
        ),
        seed=_seed(request),
        samples=min(MOST_SAMPLES, request.samples),
    )


def _poster(prompt: str) -> parser.Poster:
    """Characters that the typeface lacks, such as emoji, are left out unless none would remain."""
    poster = parser.parse_poster(prompt)
    missing = text.missing_letters(poster.text)
    kept = " ".join("".join(letter for letter in poster.text if letter not in missing).split())
    if not kept:
        _check_letters(poster.text)
    return parser.Poster(text=kept or "Untitled", looks=poster.looks)


def _check_letters(letters: str) -> None:
    missing = sorted(text.missing_letters(letters))
    if missing:
        raise Refused(
            f"The sandbox's typeface has no {', '.join(f'“{letter}”' for letter in missing[:5])}: "
            f"it has Latin, Greek and Cyrillic letters. {REAL_PROVIDER}"
        )


def _ratio(inputs: Mapping[str, Any]) -> tuple[int, int] | None:
    """ "16:9" as numbers; anything else, such as "" or "match_input_image", keeps the input's ratio."""
    across, colon, down = str(inputs.get("aspectRatio") or "").partition(":")
    if not colon or not across.isdecimal() or not down.isdecimal() or not int(across) or not int(down):
        return None
    return int(across), int(down)


def _number(inputs: Mapping[str, Any], name: str) -> int | None:
    """An integer input, which some models have as text; None if it is missing or not a number."""
    try:
        return int(str(inputs.get(name, "")).strip())
    except ValueError:
        return None


def _seed(request: EditRequest) -> int:
    """The input's seed, or one that stays the same for this job, also after a restart."""
    seed = _number(request.inputs, "seed")
    return seed if seed is not None and seed >= 0 else zlib.crc32(request.job_id.encode())
