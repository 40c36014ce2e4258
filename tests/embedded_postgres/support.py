"""Other processes that use an embedded server, and checks of that server from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import LiteralString

import psycopg

from imageeditor.postgres import cluster
from tests.patience import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]

# A process that uses the server until its stdin is closed or it is killed.
USER = """
import sys
from pathlib import Path
from imageeditor.postgres import launcher
launcher.ensure_running(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


class User:
    """Another process that uses the server."""

    def __init__(self, data_dir: Path, code: str = USER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def leave(self) -> None:
        self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


def server_pid(data_dir: Path) -> int | None:
    return cluster.postmaster_pid(data_dir / "postgres")


def kill_server(data_dir: Path) -> None:
    pid = server_pid(data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server_pid(data_dir) is None)


def connect(info: cluster.ConnectionInfo) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname)


def query(info: cluster.ConnectionInfo, statement: LiteralString) -> str:
    with connect(info) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])
