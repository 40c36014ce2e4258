"""A bucket that is slow, or does not respond at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from editor.media import incoming, store
from editor.media.bucket import StorageUnavailable
from tests.emulators import s3
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
NAME = "w/x.png"
CALLS: dict[str, Callable[[], Any]] = {
    "save": lambda: store.save("w/y.png", b"pixels", "image/png"),
    "read": lambda: store.read(NAME),
    "size": lambda: store.size(NAME),
    "open_at": lambda: store.open_at(NAME, 0).close(),
    "delete": lambda: store.delete(NAME),
    "listed": lambda: store.listed(after="", most=1),
    "incoming.read": lambda: incoming.read(NAME),
}


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_database_connection_is_held_while_waiting_for_it(
    call: Callable[[], Any], settings: Settings
) -> None:
    with s3.bucket() as bucket:
        bucket.use(settings)
        bucket.objects[NAME] = s3.Stored(b"pixels", "image/png")
        connection.ensure_connection()
        call()
        assert bucket.calls
        assert connection.connection is None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_bucket_that_cannot_be_reached_may_be_used_later(
    call: Callable[[], Any], settings: Settings
) -> None:
    with s3.unreachable_bucket() as bucket:
        bucket.use(settings)
        with pytest.raises(StorageUnavailable) as raised:
            call()
    assert (raised.value.status, raised.value.retryable) == (503, True)


READ = f"""
import django
django.setup()
from editor.media import store
try:
    store.read({NAME!r})
except Exception as error:
    print(type(error).__name__)
"""


def test_retries_of_a_bucket_that_does_not_respond_are_limited(tmp_path: Path) -> None:
    with s3.hung_bucket() as (bucket, accepted):
        done = subprocess.run(
            [sys.executable, "-c", READ],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "DJANGO_SETTINGS_MODULE": "imageeditor.settings",
                "DATA_DIR": str(tmp_path),
                **bucket.environment(),
                "STORAGE_READ_TIMEOUT": "0.1",
                "STORAGE_ATTEMPTS": "2",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout == "StorageUnavailable\n"
        assert "ReadTimeoutError" in done.stderr
        assert len(done.stderr.splitlines()) == 1  # no traceback
        assert len(accepted) == 2
