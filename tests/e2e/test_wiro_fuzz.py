"""Fuzzing the Wiro-compatible API and its WebSocket: the portal responds and goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.portal import Portal
from tests.e2e.wiro_api import Profile
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def channel(portals: Path) -> Iterator[Profile]:
    folder = portals / "wiro_fuzz"
    folder.mkdir()
    portal = Portal(folder)
    try:
        portal.start()
        channel = Profile(portal)
        yield channel
        channel.http.close()
    finally:
        portal.remove()


FUZZED = 400  # requests
PATHS = (
    *("Run/black-forest-labs/flux-2-pro", "Run/wiro/flux_kontext_dev_with_2_image", "Run/%00/%ff", "Run/a/b"),
    *("Task/Detail", "Task/Kill", "Task/Cancel", "Task/List", "Task/InputOutputDelete", "Task/x"),
    *("File/Upload", "File/FolderCreate", "Tool/Detail", "Tool/List", "Tool/Explore"),
)
NAMES = (
    *("prompt", "inputImage", "inputImageUrl", "inputImage[0]", "inputImage2Url", "mask", "seed", "width"),
    *("samples", "callbackUrl", "taskid", "tasktoken", "socketaccesstoken", "start", "limit", "order"),
    *("modelName", "search", "slugowner", "slugproject", "file", "\0", ""),
)
VALUES: tuple[Any, ...] = (
    *("", "a harbour", "1", "0", "-1", "1e400", "NaN", "9" * 400, "\0", "\ud800", "é" * 3000, "a" * 30),
    *(0, -1, 2**70, 1.5, 1e308, True, None, [], {}, [[]], ["x"], {"a": {"b": []}}, "https://127.0.0.1/x"),
    *(
        "https://[",
        "data:image/png;base64,AAAA",
        "input-depth-to-image-4.jpg",
        ",,,",
        "https://a.example/i/x.y",
    ),
)
TYPES = (
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=XX",
    "text/plain",
    "",
    ";;",
)


def test_odd_bodies_cause_no_server_error(channel: Profile) -> None:
    """Odd bodies of every kind over HTTP, deterministic."""
    dice = random.Random(6)
    for _ in range(FUZZED):
        path, kind = dice.choice(PATHS), dice.choice(TYPES)
        fields = {dice.choice(NAMES): dice.choice(VALUES) for _ in range(dice.randrange(5))}
        content = json.dumps(fields, ensure_ascii=dice.random() < 0.5).encode(errors="surrogatepass")
        if dice.random() < 0.3:
            content = content[: dice.randrange(len(content) + 1)] + dice.randbytes(dice.randrange(20))
        if "boundary" in kind:
            name = dice.choice(NAMES).encode()
            head = b'--XX\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
            content = head % (name, dice.choice([b"", b'; filename="x.png"'])) + content + b"\r\n--XX--\r\n"
        answer = channel.http.post(path, content=content, headers={"content-type": kind})
        reported = (path, kind, content, answer.text)
        assert answer.status_code in {200, 400, 404}, reported
        assert isinstance(answer.json()["result"], bool), reported
    assert "Traceback" not in channel.portal.log.read_text()
    odd: list[str | bytes] = ["", "[", '{"type": "task_info", "tasktoken": "\\ud800"}', "x" * 5000, b"\xff"]
    for frame in odd:
        with channel.listen() as socket:
            socket.send(frame)
            assert socket.ping().wait(PATIENCE)
    assert "Traceback" not in channel.portal.log.read_text()


def test_a_form_with_a_too_large_file_is_refused(channel: Profile) -> None:
    answer = channel.http.post("File/Upload", files={"file": ("a.png", b"\0" * 30_000_000, "image/png")})
    assert (answer.status_code, answer.json()["result"]) == (200, False)
    assert "limit is 25 MiB" in answer.json()["errors"][0]["message"]
