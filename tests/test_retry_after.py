"""Retry-After: at least a second, in every channel."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from django.test import RequestFactory

from editor import retry_after
from editor.api import put
from editor.api.api import api
from editor.compat.openai import views as openai
from editor.compat.wiro import views as wiro
from editor.errors import InvalidInput, LimitExceeded
from editor.gateway.body import Body
from editor.mcp import profile as mcp
from editor.web.htmx import error_response

SOON = LimitExceeded("Nearly.", retry_after=0.2)


@pytest.mark.parametrize(("wait", "reported"), [(0, 1), (0.2, 1), (1, 1), (1.2, 2), (60, 60)])
def test_seconds_are_rounded_up(wait: float, reported: int) -> None:
    error = LimitExceeded("Wait.", retry_after=wait)
    assert retry_after.seconds(error) == reported
    assert retry_after.headers(error) == {"Retry-After": str(reported)}
    assert retry_after.raw_headers(error) == [(b"retry-after", str(reported).encode())]


def test_an_unknown_wait_is_not_reported() -> None:
    assert retry_after.headers(InvalidInput("No.")) == {}
    assert retry_after.raw_headers(InvalidInput("No.")) == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90", 90), ("0.5", 0.5), ("-3", 0), ("nan", None), ("inf", None), ("", None), ("soon", None)],
)
def test_headers_of_others_are_parsed(value: str, seconds: float | None) -> None:
    assert retry_after.parse(value) == seconds


def test_headers_of_others_may_be_dates() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    assert 3000 < (retry_after.parse(format_datetime(later, usegmt=True)) or 0) <= 3600
    assert retry_after.parse("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_pages_and_apis_send_at_least_a_second() -> None:
    request = RequestFactory().get("/")
    for answer in (
        error_response(request, SOON),
        api.on_exception(request, SOON),
        wiro._refused(SOON),
        openai._refusal(request, SOON),
    ):
        assert answer["Retry-After"] == "1"
    assert mcp.problem(SOON)["retry_after"] == 1


async def test_uploads_send_at_least_a_second_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await put._refuse(send, SOON, Body(receive, limit=1))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.put("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert json.loads(answer.content)["error"] == "Nearly."
