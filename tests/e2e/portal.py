"""A portal of its own for browser tests: started as `make run` starts it, with its own data and port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

from imageeditor.postgres.cluster import connection_info, postmaster_pid
from imageeditor.postgres.places import find_place

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "template"  # the portal that others begin as


class Portal:
    """The server process, its data folder, and ways to hurt it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "portal.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "DATA_DIR": str(self.data),
            "STATIC_ROOT": str(folder.parent / "static"),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def _begin_from_template(self) -> None:
        """A database with all its tables, where this run has made one: making another takes seconds."""
        template = self.folder.parent / TEMPLATE / "data"
        if self.data.exists() or not template.exists():
            return
        self.data.mkdir()
        source, target = find_place(template).cluster, find_place(self.data).cluster
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)

    def start(self, *arguments: str) -> None:
        """`manage.py portal`; waits for the first answer."""
        self._begin_from_template()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "portal", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 180  # a busy machine is no failure
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        raise AssertionError(f"the portal did not start:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it as Ctrl+C does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def remove(self) -> None:
        """Stop it, and delete a database that could not live in the data folder."""
        if self.process and self.process.poll() is None:
            self.stop()
        home = find_place(self.data).cluster.parent
        if not home.is_relative_to(self.data):
            shutil.rmtree(home)

    def kill(self) -> None:
        """kill -9, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def kill_postgres(self) -> None:
        """kill -9 of the database server's first process."""
        pid = postmaster_pid(find_place(self.data).cluster)
        assert pid
        os.kill(pid, signal.SIGKILL)

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the portal; what it printed."""
        self._begin_from_template()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bootstrap(self, *, email: str, workspace: str, credits: int, **options: str) -> None:
        extra = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        self.manage(
            "bootstrap",
            *("--email", email, "--password", PASSWORD),
            *("--workspace", workspace, "--credits", str(credits)),
            *extra,
        )

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the portal's database, which must be running: this starts nothing."""
        info = connection_info(find_place(self.data).cluster)
        with psycopg.connect(
            host=info.host, port=info.port, user=info.user, dbname=info.dbname
        ) as connection:
            return connection.execute(sql, parameters).fetchall()

    def times_asked(self) -> int:
        """How many edits the sandbox was asked for, by its own account in the log."""
        return self.log.read_text().count("accepted task=")


PASSWORD = "correct horse battery"
