"""Images inside a JSON response, for the providers without links."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.emulators.faults import HUGE_SIZE, NOT_AN_IMAGE, Fault
from tests.emulators.pictures import Picture

_HUGE = "(huge)"


def inlined(picture: Picture, fault: Fault | None) -> str:
    """The base64 of this image in a response that is sent by `answer`."""
    if fault is Fault.NOT_AN_IMAGE:
        return b64encode(NOT_AN_IMAGE).decode()
    if fault in (Fault.HUGE, Fault.HUGE_UNANNOUNCED):
        return _HUGE
    return b64encode(picture.content).decode()


def streamed(fault: Fault | None) -> Fault | None:
    """The fault of an image in a stream, which cannot be HUGE."""
    return None if fault in (Fault.HUGE, Fault.HUGE_UNANNOUNCED) else fault


def answer(document: dict[str, Any], pictures: list[Picture], fault: Fault | None) -> Response:
    """The document as JSON; under HUGE its first image grows to HUGE_SIZE bytes while it is sent."""
    if fault not in (Fault.HUGE, Fault.HUGE_UNANNOUNCED):
        return JSONResponse(document)
    before, after = json.dumps(document, separators=(",", ":")).split(_HUGE, 1)
    content = pictures[0].content
    start = b64encode(content[: len(content) // 3 * 3])  # no padding: more follows
    # Base64 is in groups of four characters.
    left = (HUGE_SIZE - len(before) - len(start) - len(after)) // 4 * 4

    async def chunks() -> AsyncIterator[bytes]:
        yield before.encode() + start
        block = b"A" * (256 * 1024)
        for sent in range(0, left, len(block)):
            yield block[: left - sent]
        yield after.encode()

    size = len(before) + len(start) + left + len(after)
    headers = {"content-length": str(size)} if fault is Fault.HUGE else {}
    return StreamingResponse(chunks(), media_type="application/json", headers=headers)
