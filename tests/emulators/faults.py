"""Faults of a provider, the same for all emulators, and how to choose them.

    emulator.script.next_submit = [Fault.BAD_GATEWAY, None]     the next one fails, the one after does not
    emulator.script.always[Step.POLL] = Fault.SERVER_ERROR      until it is removed
    POST /_control {"on": "poll", "fault": "hang", "times": 2}  the same by hand; see base.py

For "connection refused" stop the emulator.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send


class Step(StrEnum):
    """What a client does with a provider, as far as faults can be set on it."""

    SUBMIT = "submit"
    POLL = "poll"
    DOWNLOAD = "download"
    CANCEL = "cancel"
    UPLOAD = "upload"


class Fault(StrEnum):
    # The request is refused: no task is created, nothing is cancelled or returned.
    WRONG_KEY = "wrong_key"  # a valid key is refused too
    OUT_OF_FUNDS = "out_of_funds"
    RATE_LIMITED = "rate_limited"  # without Retry-After
    RATE_LIMITED_RETRY_AFTER = "rate_limited_retry_after"  # with it, RETRY_AFTER seconds
    SERVER_ERROR = "server_error"  # 500, in the provider's own format
    BAD_GATEWAY = "bad_gateway"  # 502, with the HTML page of a proxy

    # The request is served, a submit does create a task, but the response is not usable.
    CUT = "cut"  # the connection is closed after half of the bytes that Content-Length promised
    MALFORMED_JSON = "malformed_json"  # half of the bytes, as if that were all
    HANG = "hang"  # no response, not even a header, until the client times out

    # The course of a task. Set on a submit it stays with that task to its end, through polls and
    # downloads; set on a poll or a download it holds for that one request.
    NEVER_FINISHES = "never_finishes"
    FAILED = "failed"  # the model failed, not because of the client
    PROMPT_MODERATED = "prompt_moderated"
    RESULT_MODERATED = "result_moderated"
    EMPTY_RESULT = "empty_result"  # done, without any image
    UNKNOWN_STATUS = "unknown_status"  # a status that no contract defines
    NOT_FOUND_YET = "not_found_yet"  # set on a poll: the task is unknown, as just after its submit

    # Only of some providers (OpenAI, Google, fal): no task is created, or it fails at once.
    OVERLOADED = "overloaded"  # 503, in the provider's own format
    FORBIDDEN = "forbidden"  # 403: a valid key without access to this model
    SPEND_CAP = "spend_cap"  # 400: a limit set by the account itself, or billing that is not set up

    # The response of the result's link (or, without links, the image inside the response).
    LINK_NOT_FOUND = "link_not_found"
    LINK_EXPIRED = "link_expired"
    NOT_AN_IMAGE = "not_an_image"  # a web page, declared as an image
    HUGE = "huge"  # HUGE_SIZE bytes, with Content-Length
    HUGE_UNANNOUNCED = "huge_unannounced"  # the same, chunked


REFUSED = frozenset(
    {
        Fault.WRONG_KEY,
        Fault.OUT_OF_FUNDS,
        Fault.RATE_LIMITED,
        Fault.RATE_LIMITED_RETRY_AFTER,
        Fault.SERVER_ERROR,
        Fault.BAD_GATEWAY,
    }
)
SPOILT = frozenset({Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG})
RETRY_AFTER = 1  # seconds; the header of RATE_LIMITED_RETRY_AFTER
HUGE_SIZE = 2 * 1024**3  # bytes
NOT_AN_IMAGE = b"<!DOCTYPE html><title>Sign in</title><p>This is not a picture.\n"
UNKNOWN_WORD = "Daydreaming"  # the status of UNKNOWN_STATUS


@dataclass
class Script:
    """The faults to come. Items of the lists are used once each, in order; None is no fault."""

    next_submit: list[Fault | None] = field(default_factory=list)
    next_poll: list[Fault | None] = field(default_factory=list)
    next_download: list[Fault | None] = field(default_factory=list)
    next_cancel: list[Fault | None] = field(default_factory=list)
    next_upload: list[Fault | None] = field(default_factory=list)
    always: dict[Step, Fault] = field(default_factory=dict)

    def coming(self, step: Step) -> list[Fault | None]:
        """The list for this step."""
        coming: list[Fault | None] = getattr(self, f"next_{step}")
        return coming

    def take(self, step: Step) -> Fault | None:
        """The fault for the current request."""
        coming = self.coming(step)
        return coming.pop(0) if coming else self.always.get(step)


def bad_gateway() -> Response:
    """A proxy's response while the service behind it is down."""
    page = (
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
        "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return HTMLResponse(page, 502)


def spoil(response: Response, fault: Fault | None) -> Response:
    """The response under CUT, MALFORMED_JSON and HANG; unchanged under others."""
    if fault is Fault.CUT:
        return _Cut(response)
    if fault is Fault.MALFORMED_JSON:
        half = bytes(response.body[: len(response.body) // 2])
        return Response(half, response.status_code, media_type=response.headers.get("content-type"))
    if fault is Fault.HANG:
        return _Hang()
    return response


def huge(start: bytes, media_type: str, *, announced: bool) -> Response:
    """HUGE_SIZE bytes that begin as a valid image; generated while they are sent, never held."""
    return _Huge(start, media_type, announced=announced)


class _Cut(Response):
    """Announces the whole and sends half; a server closes a connection with an incomplete response."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code, media_type=whole.headers.get("content-type"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class _Huge(Response):
    def __init__(self, start: bytes, media_type: str, *, announced: bool) -> None:
        super().__init__(start, media_type=media_type)
        if announced:
            self.headers["content-length"] = str(HUGE_SIZE)
        else:
            del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        block = bytes(256 * 1024)
        left = HUGE_SIZE - len(self.body)
        while left > 0 and not gone.done():
            await send({"type": "http.response.body", "body": block[:left], "more_body": left > len(block)})
            left -= len(block)
            await asyncio.sleep(0)
        gone.cancel()


class _Hang(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    """Returns when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
