"""Django on the embedded server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker, Settings

from tests.embedded_postgres.support import ROOT, kill_server, server_pid
from tests.scarce import no_descriptors


def test_checks_do_not_start_the_server_but_a_query_does(new_data_dir: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(new_data_dir), "DATABASE_URL": ""}

    def manage(*arguments: str) -> str:
        return subprocess.check_output(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, text=True
        )

    manage("check")
    assert not (new_data_dir / "postgres").exists()
    assert "7" in manage("dbshell", "--", "-tc", "SELECT 7")
    assert server_pid(new_data_dir) is None


def test_django_with_a_pool_recovers_after_the_server_was_killed(
    data_dir: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    settings.DATA_DIR = data_dir
    database = {
        **connections.settings["default"],
        "ENGINE": "imageeditor.postgres.backend",
        "NAME": "portal",
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}},
        "CONN_HEALTH_CHECKS": True,
    }
    monkeypatch.setitem(connections.settings, "embedded", database)
    connection = connections["embedded"]

    def answer() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 7")
            return int(cursor.fetchone()[0])

    with django_db_blocker.unblock():
        assert answer() == 7
        connection.close()
        with no_descriptors():  # the server cannot be checked, but the pool has a connection
            assert answer() == 7
            connection.close()
        kill_server(data_dir)
        with no_descriptors(), pytest.raises(OperationalError):
            answer()
        connection.close()
        assert answer() == 7
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        del connections["embedded"]
