"""Fuzzing the OpenAI-compatible API over HTTP: each response has OpenAI's format, and none is a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.api import Api
from tests.factories import photo
from tests.media.test_masks import png, with_hole
from tests.patience import PATIENCE

EXAMPLES = 80  # of each kind; deterministic: random examples are for runs by hand
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
NAMES = [
    *("prompt", "model", "n", "size", "quality", "background", "output_format", "response_format", "stream"),
    *("seed", "samples", "width", "aspectRatio", "image", "image[]", "mask", "markup", "user", ""),
]
PATHS = [
    "images/generations",
    "images/edits",
    "images/variations",
    "images/",
    "models",
    "models/x",
    "models/",
]

message = st.text(max_size=12) | st.sampled_from(
    ["a red chair", "auto", "2", "1024x1024", "true", "gpt-image-2", "standard", "png", "high", "url", "\x00"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | message,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(message, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(NAMES) | st.text(max_size=8)
pictures = st.sampled_from([photo(), photo(format="JPEG"), png(with_hole()), photo()[:50], b"", b"nothing"])
# Parts as bytes: a client would not send most of these.
heads = st.builds(
    'Content-Disposition: form-data; name="{}"{}{}'.format,
    names,
    st.sampled_from(["", '; filename="a.png"', '; filename=""', "; filename*=UTF-8''%ff", "; filename"]),
    st.sampled_from(["", "\r\nContent-Type: image/png", "\r\nContent-Transfer-Encoding: base64", "\r\nX"]),
)
parts = st.tuples(heads, pictures | message.map(lambda text: text.encode(errors="replace")))
types = st.sampled_from(
    [
        "multipart/form-data; boundary=b",
        "multipart/form-data; boundary=b; charset=nonsense",
        "multipart/form-data; boundary=other",
        "multipart/form-data",
        "application/json",
        "application/x-www-form-urlencoded",
        "",
    ]
)
FIELD = "Content-Disposition: form-data; name="
WHOLE = [
    (f'{FIELD}"prompt"', b"Make it black and white"),
    (f'{FIELD}"image"; filename="a.png"\r\nContent-Type: image/png', photo()),
]


def in_order(answer: httpx.Response) -> None:
    if answer.status_code < 400:
        return
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.status_code < 500, answer.text


def form(found: list[tuple[str, bytes]]) -> bytes:
    body = b"".join(
        b"--b\r\n" + head.encode(errors="replace") + b"\r\n\r\n" + part + b"\r\n" for head, part in found
    )
    return body + b"--b--\r\n"


def nothing_is_lost(api: Api) -> None:
    assert api.portal.query(
        "SELECT balance + held - (SELECT sum(amount + held_amount) FROM editor_ledgerentry "
        "WHERE account_id = workspace_id) FROM editor_creditaccount JOIN editor_workspace w "
        "ON w.id = workspace_id WHERE slug = 'fuzz'"
    ) == [(0,)]


def http(api: Api) -> httpx.Client:
    headers = {"authorization": f"Bearer {api.keys['fuzz']}"}
    return httpx.Client(base_url=f"{api.portal.url}/v1/", headers=headers, timeout=PATIENCE)


def test_any_json_gets_a_valid_response(api: Api) -> None:
    with http(api) as client:

        @FUZZ
        @given(
            fields=st.dictionaries(names, values, max_size=5),
            prompt=st.none() | message,
            key=st.sampled_from(["", "once", "x" * 81]),
        )
        def send(fields: dict[str, Any], prompt: str | None, key: str) -> None:
            content = json.dumps(fields if prompt is None else fields | {"prompt": prompt})
            headers = {"idempotency-key": key} if key else {}
            in_order(client.post("images/generations", content=content, headers=headers))

        send()
    nothing_is_lost(api)


def test_any_form_gets_a_valid_response(api: Api) -> None:
    with http(api) as client:

        @FUZZ
        @given(
            found=st.lists(parts, max_size=5),
            whole=st.just(True) | st.booleans(),
            content_type=st.just("multipart/form-data; boundary=b") | types,
            cut=st.just(0) | st.integers(0, 40),
        )
        def send(found: list[tuple[str, bytes]], whole: bool, content_type: str, cut: int) -> None:
            body = form([*found, *(WHOLE if whole else [])])
            headers = {"content-type": content_type} if content_type else {}
            in_order(client.post("images/edits", content=body[: len(body) - cut], headers=headers))

        send()
    nothing_is_lost(api)


def test_any_method_body_and_path_get_a_valid_response(api: Api) -> None:
    with http(api) as client:

        @FUZZ
        @given(
            method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
            path=st.sampled_from(PATHS),
            tail=st.text(max_size=8).map(lambda text: "".join(f"%{byte:02x}" for byte in text.encode())),
            body=st.binary(max_size=40),
            content_type=types,
        )
        def send(method: str, path: str, tail: str, body: bytes, content_type: str) -> None:
            headers = {"content-type": content_type} if content_type else {}
            answer = client.request(method, path + tail, content=body, headers=headers)
            assert answer.status_code < 500
            if method != "HEAD":
                in_order(answer)

        send()
