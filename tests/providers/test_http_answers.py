"""Reading the responses of providers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from editor.providers import http
from editor.providers.base import ErrorKind, Temporary
from editor.providers.http import Answer
from tests.providers.edits import is_final, is_temporary


def answer(status: int = 200, content: bytes = b"", **headers: str) -> Answer:
    return Answer(
        status, httpx.Headers({name.replace("_", "-"): each for name, each in headers.items()}), content
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("Fri, 31 Feb 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2015 00:00:00", None),  # without a time zone
    ],
)
def test_retry_after_is_read_in_seconds(value: str, seconds: float | None):
    assert answer(retry_after=value).retry_after == seconds


def test_retry_after_is_read_as_a_date():
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    before = datetime.now(UTC)

    seconds = answer(retry_after=format_datetime(date, usegmt=True)).retry_after

    assert seconds is not None
    assert date - datetime.now(UTC) <= timedelta(seconds=seconds) <= date - before


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"]
)
def test_invalid_json_is_none(content: bytes):
    assert answer(content=content).json() is None
    assert answer(content=content).table() == {}


@pytest.mark.parametrize("content", [b"[]", b"1", b'"text"', b"null"])
def test_json_that_is_not_an_object_is_an_empty_table(content: bytes):
    assert answer(content=content).table() == {}


@pytest.mark.parametrize(
    ("status", "kind", "retried"),
    [
        (400, ErrorKind.INVALID_INPUT, False),
        (401, ErrorKind.AUTH, False),
        (402, ErrorKind.INSUFFICIENT_FUNDS, False),
        (403, ErrorKind.AUTH, False),
        (408, ErrorKind.UNAVAILABLE, True),
        (413, ErrorKind.INVALID_INPUT, False),
        (422, ErrorKind.INVALID_INPUT, False),
        (429, ErrorKind.RATE_LIMITED, True),
    ],
)
def test_a_status_maps_to_an_error_kind(status: int, kind: ErrorKind, retried: bool):
    assert is_final(http.refusal(answer(status)), kind)
    requested = http.refusal(answer(status), asking=True)
    assert requested.kind is kind
    assert isinstance(requested, Temporary) is retried


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"detail": "x"}'])
@pytest.mark.parametrize("status", [302, 500, 501, 502, 503, 504, 520, 527, 529])
def test_only_the_provider_itself_can_report_that_it_did_not_accept_a_task(status: int, content: bytes):
    own = status in (500, 503) and content.startswith(b"{")
    refusal = http.refusal(answer(status, content))

    assert is_final(refusal, ErrorKind.UNAVAILABLE if own else ErrorKind.UNKNOWN_OUTCOME)
    assert is_temporary(http.refusal(answer(status, content), asking=True))


def test_a_refusal_quotes_the_provider_but_never_about_a_key():
    provider_message = "Incorrect API key provided: sk-abc123"

    assert "sk-abc" not in http.refusal(answer(401), provider_message=provider_message).message
    assert "too dark" in http.refusal(answer(400), provider_message="The image\n is too dark").message
    assert http.refusal(answer(429, retry_after="7"), asking=True).retry_after == 7
