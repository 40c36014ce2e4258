"""Helpers and checks shared by the tests of all emulators."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.emulators.base import Emulator
from tests.emulators.faults import HUGE_SIZE, NOT_AN_IMAGE, Fault, Step
from tests.emulators.pictures import Picture

Send = Callable[[], httpx.Response]

# For all tests: httpx.get and the like load the machine's certificates anew each time.
http = httpx.Client(verify=False, timeout=60, headers={"connection": "close"})


def until(answer: Callable[[], Any], accepted: Callable[[Any], Any]) -> Any:
    """Poll for a minute at most, until the answer is accepted."""
    deadline = time.monotonic() + 60
    while not accepted(got := answer()):
        assert time.monotonic() < deadline, got
        time.sleep(0.01)
    return got


@contextmanager
def given_up(once: Callable[[], Any]) -> Iterator[None]:
    """Inside, `http` has a short timeout for responses, which begins when `once` is true."""

    def trace(event: str, info: dict[str, Any]) -> None:
        if event == "http11.receive_response_headers.started":
            until(once, bool)

    patience, http.timeout = http.timeout, httpx.Timeout(60, read=0.1)
    http.event_hooks = {"request": [lambda request: request.extensions.update(trace=trace)]}
    try:
        yield
    finally:
        http.timeout, http.event_hooks = patience, {}


def photo(width: int = 320, height: int = 256, pillow_format: str = "PNG") -> bytes:
    """An image to upload."""
    buffer = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, pillow_format)
    return buffer.getvalue()


def opened(content: bytes) -> tuple[str, tuple[int, int]]:
    """Pillow's name for the format, and the size in pixels."""
    with Image.open(BytesIO(content)) as image:
        image.load()
        return str(image.format), image.size


def spoils_answers(emulator: Emulator, step: Step, send: Send) -> None:
    """The connection cut, half of the JSON, no response, and a proxy's page, each once on this step."""
    coming = emulator.script.coming(step)
    coming.extend([Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG, Fault.BAD_GATEWAY])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        send()
    half = send()
    assert half.status_code < 300
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half.text)
    calls = len(emulator.calls)
    with (
        pytest.raises(httpx.ReadTimeout),
        given_up(once=lambda: [call for call in emulator.calls[calls:] if call.status]),
    ):
        send()
    page = send()
    assert page.status_code == 502
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<html>" in page.text
    assert not coming


def spoils_downloads(emulator: Emulator, url: str, picture: Picture) -> None:
    """A cut, a web page declared as an image, and 2 GB with and without Content-Length, each once."""
    emulator.script.next_download = [
        Fault.CUT,
        Fault.NOT_AN_IMAGE,
        Fault.HUGE,
        Fault.HUGE_UNANNOUNCED,
        None,
    ]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        http.get(url)
    page = http.get(url)
    assert page.status_code == 200
    assert page.headers["content-type"] == picture.content_type
    assert page.content == NOT_AN_IMAGE
    for announced in (str(HUGE_SIZE), None):
        with http.stream("GET", url) as huge:
            assert huge.headers.get("content-length") == announced
            taken = bytearray()
            for chunk in huge.iter_raw():
                taken += chunk
                if len(taken) > 3_000_000:
                    break
            assert taken.startswith(picture.content)
    assert http.get(url).content == picture.content
