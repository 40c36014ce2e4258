"""Hostile requests to the public API get documented responses and leave nothing behind.

Uploads at their links are attacked in tests/api/test_put.py and tests/operations/test_uploads_use.py,
image URLs in tests/net/test_fetch*.py, keys in tests/gateway/test_middleware.py.
"""

from __future__ import annotations

import contextlib
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ask
from tests.e2e.api import Api, open_spaces
from tests.e2e.portal import LASTING
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE, wait_until

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}
MEGA = 1_000_000

# 429 if other tests failed to authenticate from this machine in the last minute.
REFUSED = {401, 429}

BODIES = {
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "half": b'{"prompt": "x"',
    "NaN": b'{"prompt": "x", "model_tier": "pro", "parameters": {"seed": NaN}}',
    "infinity": b'{"prompt": "x", "model_tier": "pro", "parameters": {"seed": -Infinity}}',
    "a number of ten thousand digits": b'{"prompt": ' + b"9" * 10_000 + b"}",
    "half a character": b'{"prompt": "\\ud800", "model_tier": "pro"}',
    "NUL": b'{"prompt": "a\\u0000b", "model_tier": "pro"}',
    "NUL in a name": b'{"prompt": "x", "model_tier": "pro", "parameters": {"a\\u0000b": 1}}',
    "a name twice": b'{"prompt": "x", "prompt": "y", "model_tier": "pro"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "no UTF-8": b'{"prompt": "\xff\xfe"}',
    "gzip": b"\x1f\x8b\x08\x00" + b"\x00" * 100,
}

PRIVATE = [
    "https://127.0.0.2:1/x.png",
    "https://10.0.0.1/x.png",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/x.png",
    "https://[::ffff:10.0.0.1]/x.png",
    "https://[64:ff9b::a00:1]/x.png",
    "https://0x7f000001/x.png",
    "https://2130706433/x.png",
    "https://localhost/x.png",
    "https://user:word@127.0.0.1/x.png",
    "https://127.0.0.1.nip.example/x.png",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x.png",
    "//127.0.0.1/x.png",
    "javascript:alert(1)",
]


@pytest.fixture(autouse=True)
def nothing_is_charged(api: Api) -> Iterator[None]:
    sums = (
        "SELECT slug, balance, held FROM editor_creditaccount JOIN editor_workspace AS workspace "
        "ON workspace.id = workspace_id WHERE slug IN ('plain', 'other') ORDER BY slug"
    )
    before = api.portal.query(sums)
    yield
    assert api.portal.query(sums) == before


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("call", ["/process", "/estimate-credits", "/upload-url"])
def test_a_body_that_is_not_plain_json_is_refused(api: Api, call: str, body: bytes) -> None:
    answer = api.http("plain").post(call, content=body)
    assert (answer.status_code, answer.json()["success"]) in {(400, False), (413, False)}
    assert answer.json()["error"]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_url_that_is_not_public_is_refused(api: Api, url: str) -> None:
    answer = api.http("plain").post("/process", json=EDIT | {"image_url": url})
    assert answer.status_code == 400, answer.text
    # An exempt address without a server there is reported as one that cannot be reached.
    assert re.search("image (URL|server)", answer.json()["error"])


def test_a_large_body_without_a_key_is_not_read(api: Api) -> None:
    """300 MB are announced; the response comes before a hundredth is sent, with nothing on disk."""
    files = written(api)
    with socket.create_connection(("127.0.0.1", api.portal.port), timeout=PATIENCE) as connection:
        head = f"POST {BASE}/process HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {300 * MEGA}\r\n\r\n"
        with contextlib.suppress(ConnectionError):  # it may be closed before everything is sent
            connection.sendall(head.encode() + b"x" * (64 * 1024))
        assert connection.recv(64).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 429 "))
    assert written(api) <= files


def written(api: Api) -> set[str]:
    """Temporary files that the portal has open, including deleted ones."""
    assert api.portal.process is not None
    found = set()
    for link in Path(f"/proc/{api.portal.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            found.add(str(link.readlink()))
    return {name for name in found if name.startswith(tempfile.gettempdir())}


@pytest.mark.parametrize("key", ["flk_" + "x" * 60_000, "Bearer", "flk_../../../etc/passwd", "' OR 1=1 --"])
def test_an_invalid_key_is_refused(api: Api, key: str) -> None:
    answer = ask.get(f"{api.portal.url}{BASE}/jobs", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code in REFUSED, answer.text


def test_the_key_of_a_removed_member_is_refused(api: Api) -> None:
    key = open_spaces(api.portal, {"removed": {"workspace": "Removed", "credits": 0}})["removed"]
    headers = {"authorization": f"Bearer {key}"}
    assert ask.get(f"{api.portal.url}{BASE}/jobs", headers=headers).status_code == 200
    api.portal.query(
        "DELETE FROM editor_membership WHERE workspace_id = "
        "(SELECT id FROM editor_workspace WHERE slug = 'removed') RETURNING id"
    )
    assert ask.get(f"{api.portal.url}{BASE}/jobs", headers=headers).status_code in REFUSED


def test_rows_of_another_workspace_are_not_found(api: Api) -> None:
    theirs, mine = api.http("other"), api.http("plain")
    edit = EDIT | {"prompt": f"{LASTING} a quiet harbour", "async": True}
    job = theirs.post("/process", json=edit).json()["data"]["job_id"]
    upload = {"file_name": "a.png", "mime_type": "image/png"}
    image = theirs.post("/upload-url", json=upload).json()["data"]["image_id"]

    for call in (f"/jobs/{job}", f"/jobs/{job}/events"):
        assert mine.get(call).status_code == 404
    assert mine.post(f"/jobs/{job}/cancel").status_code == 404
    for field in ("image_id", "mask_id"):
        assert mine.post("/process", json=EDIT | {field: image}).status_code == 404
    assert job not in mine.get("/jobs").text

    theirs.post(f"/jobs/{job}/cancel")
    wait_until(lambda: theirs.get(f"/jobs/{job}").json()["data"]["status"] == "canceled")
