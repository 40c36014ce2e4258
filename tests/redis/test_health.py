"""One state of Redis for the whole process."""

from __future__ import annotations

import pytest

from editor.redis import health
from editor.redis.health import Health


def test_one_caller_at_a_time_retries_an_unreachable_server(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    verdict = Health()
    assert verdict.may_ask()
    verdict.failed(OSError("gone"))
    assert not verdict.may_ask()
    now += health.AGAIN_AFTER
    assert [verdict.may_ask() for _ in range(3)] == [True, False, False]
    verdict.worked()
    assert verdict.may_ask()
    assert not verdict.away


def test_each_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    verdict = Health()
    for _ in range(5):
        verdict.failed(TimeoutError())
    for _ in range(5):
        verdict.worked()
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "Redis does not respond",
        "Redis responds again",
    ]
