"""Request bodies in every format that Wiro's clients send."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import httpx
import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from editor.compat.wiro import body
from editor.compat.wiro.body import Fields
from editor.compat.wiro.profile import Refused
from editor.media.inputs import File


def read(content: bytes, content_type: str) -> Fields:
    request = RequestFactory().post("/", content, content_type=content_type)
    return body.read(request).fields


def form(**more: Any) -> httpx.Request:
    return httpx.Request("POST", "http://localhost/", **more)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "", "x/y"],
)
def test_json_is_read_regardless_of_its_content_type(content_type: str) -> None:
    assert read(b' {"prompt": "a", "steps": 3, "inputImage": ["x"]} ', content_type) == [
        ("prompt", "a"),
        ("steps", 3),
        ("inputImage", ["x"]),
    ]


def test_a_form_keeps_its_order() -> None:
    found = read(b"prompt=a+b&inputImage=x&inputImage=y&empty=", "application/x-www-form-urlencoded")
    assert found == [("prompt", "a b"), ("inputImage", "x"), ("inputImage", "y"), ("empty", "")]


def test_a_form_with_files_keeps_its_order() -> None:
    boundary = b"XX"
    parts = [
        (b'name="inputImage"; filename="a.png"', b"one"),
        (b'name="prompt"', "großer Hafen".encode()),
        (b'name="inputImage"', b"https://example.com/b.png"),
        (b'name="inputImage"; filename="c.png"', b"\r\n--X\r\n" * 500_000),
    ]
    content = b"".join(b"--XX\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % part for part in parts)
    found = read(content + b"--XX--\r\n", f"multipart/form-data; boundary={boundary.decode()}")
    rendered = [(name, value.read() if isinstance(value, File) else value) for name, value in found]
    assert rendered == [
        ("inputImage", b"one"),
        ("prompt", "großer Hafen"),
        ("inputImage", "https://example.com/b.png"),
        ("inputImage", b"\r\n--X\r\n" * 500_000),
    ]
    assert [value.name for _, value in found if isinstance(value, File)] == ["a.png", "c.png"]
    for _, value in found:
        if isinstance(value, File):
            value.content.close()


def test_a_form_of_httpx_is_read() -> None:
    request = form(data={"prompt": "a", "seed": "1"}, files=[("file", ("é.png", b"123", "image/png"))])
    found = read(request.read(), request.headers["content-type"])
    assert [name for name, _ in found] == ["prompt", "seed", "file"]
    assert found[2][1].read() == b"123"
    found[2][1].content.close()


@pytest.mark.parametrize(
    "text",
    [
        '{ "tasktoken": eDcCm5yyUfIvMFspTwww49OUfgXkQt, }',
        "{ \"tasktoken\": 'eDcCm5yyUfIvMFspTwww49OUfgXkQt', }",
        '{"tasktoken":eDcCm5yyUfIvMFspTwww49OUfgXkQt}',
        '{ "tasktoken": "eDcCm5yyUfIvMFspTwww49OUfgXkQt", }',
    ],
)
def test_a_sample_that_lost_its_quotes_in_the_shell_is_parsed(text: str) -> None:
    assert body.parse(text.encode()) == [("tasktoken", "eDcCm5yyUfIvMFspTwww49OUfgXkQt")]


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"[1]",
        b"{",
        b"{}}",
        b'{"a": {"b": c}}',
        b'{"a": [b]}',
        b'{"a": b c}',
        b'{"a": b, "a": c}',
        b'{"a" b}',
        b"{a: b}",
        b'{"a": b} x',
        b'{"a": b,,}',
        b'{"a": ' + b"b" * 2000 + b"}",
        b'{"a": NaN, "b": [}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": 1, "a": 2}',
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b"a=%00",
        b"a=%ff",
        b"&".join(b"a=1" for _ in range(101)),
        b'{"a": "' + b"x" * body.LONGEST_TEXT + b'"}',
    ],
    ids=lambda content: str(content[:20]),
)
def test_a_body_that_is_not_a_plain_object_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"Request parameters are invalid\."):
        read(content, "application/json")


@pytest.mark.parametrize(
    "content",
    [
        b"--XX",
        b"--XX\r\n\r\n",
        b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--",
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n',
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--XX--',
        b'--XX\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n--XX--',
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n\0\r\n--XX--',
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 101 + b"--XX--",
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 3_000_000 + b"\r\n--XX--",
        b"--XX\r\n" + b"a: b\r\n" * 100 + b"\r\nx\r\n--XX--",
        b'--XX\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nx\r\n--XX-',
        b"--YY--",
    ],
    ids=lambda content: str(content[:60]),
)
def test_a_broken_form_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"Request parameters are invalid\."):
        read(content, "multipart/form-data; boundary=XX")


TEXT = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
FILE = b'--XX\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'


def test_too_much_text_is_refused_before_the_rest_is_read() -> None:
    content = TEXT + b"x" * (3 * body.LONGEST_TEXT) + b"\r\n--XX--"
    request = RequestFactory().post("/", content, content_type="multipart/form-data; boundary=XX")
    with pytest.raises(Refused):
        body.read(request)
    assert len(request.read()) > body.LONGEST_TEXT


@pytest.mark.parametrize("end", [b"x", b"\r\n" + TEXT + b"\0\r\n--XX--"], ids=["in a file", "after a file"])
def test_a_refused_form_leaves_no_file_open(end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    class Recorded(tempfile.SpooledTemporaryFile[bytes]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            opened.append(self)

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Recorded)
    with pytest.raises(Refused):
        read(FILE + b"x" * 3_000_000 + end, "multipart/form-data; boundary=XX")
    assert [file.closed for file in opened] == [True]


def test_the_same_bytes_have_the_same_digest() -> None:
    request = form(data={"a": "1"}, files={"file": b"x" * 200_000})
    content, kind = request.read(), request.headers["content-type"]
    digests = set()
    for _ in range(2):
        found = body.read(RequestFactory().post("/", content, content_type=kind))
        digests.add(found.digest)
        found.close()
    other = body.read(RequestFactory().post("/", content.replace(b"xx", b"xy", 1), content_type=kind))
    other.close()
    assert len(digests) == 1
    assert other.digest not in digests


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=some.binary(max_size=300), boundary=some.sampled_from(["", "; boundary=XX", "; boundary=\xff"])
)
def test_any_body_is_read_or_refused(content: bytes, boundary: str) -> None:
    for kind in ("multipart/form-data", "application/json"):
        for wrapped in (content, b"--XX\r\n" + content, b'{"a": ' + content + b"}"):
            try:
                body.read(RequestFactory().post("/", wrapped, content_type=kind + boundary)).close()
            except Refused:
                continue


@given(
    fields=some.dictionaries(
        some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
        some.one_of(
            some.integers(-(10**9), 10**9), some.booleans(), some.none(), some.text("ab,é ", max_size=9)
        ),
    )
)
def test_json_fields_are_read_unchanged(fields: dict[str, Any]) -> None:
    assert dict(body.parse(json.dumps(fields).encode())) == fields
