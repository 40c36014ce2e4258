"""Log records of invalid requests."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from imageeditor.logs import NoTraces


def _record(name: str, **extra: Any) -> logging.LogRecord:
    error = ValueError("x")
    return logging.getLogger(name).makeRecord(
        name, logging.ERROR, "", 0, "words", (), (ValueError, error, None), extra=extra
    )


@pytest.mark.parametrize(
    ("name", "extra", "kept"),
    [
        ("django.security.DisallowedHost", {"status_code": 400}, False),
        ("django.request", {"status_code": 403}, False),
        ("django.request", {"status_code": 500}, True),
        ("django.request", {}, True),
        ("editor.gateway", {"status_code": 400}, True),
    ],
)
def test_only_the_portals_own_errors_keep_their_traceback(
    name: str, extra: dict[str, int], kept: bool
) -> None:
    record = _record(name, **extra)
    assert NoTraces().filter(record)
    assert (record.exc_info is not None) is kept
