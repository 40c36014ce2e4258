"""A portal for browser tests, started as `make run` does, with its own data and port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from imageeditor.postgres.cluster import connection_info, postmaster_pid
from imageeditor.postgres.places import find_place
from tests.patience import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "template"  # the portal whose database others copy

# In a prompt: the sandbox works longer than any test waits, and reports progress after three seconds.
LASTING = "[slow:250]"


class Portal:
    """The server process, its data folder, and ways to break it."""

    made: ClassVar[list[Portal]] = []  # all portals of this process, in order

    def __init__(self, folder: Path, **environment: str) -> None:
        Portal.made.append(self)
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "portal.log"
        # Bound until the portal is removed, so that nothing else gets this port while the portal is down.
        self._held = socket.socket()
        self._held.bind(("127.0.0.1", 0))
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the portal shares it
        self.port = self._held.getsockname()[1]
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
        self.limits = ""  # shell commands before the portal is executed, e.g. "ulimit -n 1024"

    def _begin_from_template(self) -> None:
        """Copy the template's database if there is one: creating another takes seconds."""
        template = self.folder.parent / TEMPLATE / "data"
        if self.data.exists() or not template.exists():
            return
        self.data.mkdir()
        source, target = find_place(template).cluster, find_place(self.data).cluster
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)

    def start(self, *arguments: str) -> None:
        """Start `manage.py portal` and wait for its first response."""
        self._begin_from_template()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *("sh", "-c", f'{self.limits or ":"}; exec "$@"', "sh"),
                    *(sys.executable, "manage.py", "portal", *arguments),
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, otherwise=lambda: f"the portal did not start:\n{self.log.read_text()}")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the portal ended:\n{self.log.read_text()}"
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=PATIENCE)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def stop(self) -> int:
        """Stop it with SIGTERM and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop it, and delete a database that could not be placed in the data folder."""
        if self.process and self.process.poll() is None:
            self.stop()
        self._held.close()
        home = find_place(self.data).cluster.parent
        if not home.is_relative_to(self.data):
            shutil.rmtree(home)

    def kill(self) -> None:
        """Send SIGKILL, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def kill_postgres(self) -> None:
        """Send SIGKILL to the database server's main process."""
        pid = postmaster_pid(find_place(self.data).cluster)
        assert pid
        os.kill(pid, signal.SIGKILL)

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the portal and return its output."""
        self._begin_from_template()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
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

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the portal's database, which must be running: it is not started."""
        info = connection_info(find_place(self.data).cluster)
        return psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Query the portal's database directly."""
        with self.connect() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def no_new_images(self) -> Iterator[None]:
        """Block every edit at the point where its result would become an image and its price be settled.

        Uploads are blocked too. Only for few edits at a time: each holds a thread of the engine.
        """
        with self.connect() as connection:
            connection.execute("LOCK TABLE editor_image IN SHARE MODE")
            yield

    def waiting(self) -> int:
        """The number of blocked transactions: one at the lock of `no_new_images`, the others behind it."""
        [(count,)] = self.query("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(count)

    def let_the_sandbox_finish(self) -> None:
        """Make the sandbox's current tasks finish as soon as any process resumes their jobs."""
        self.query(
            "UPDATE editor_job SET provider_state = provider_state || '{\"started_at\": 0}' "
            "WHERE provider_state ? 'started_at' RETURNING id"
        )

    def times_submitted(self) -> int:
        """The number of edits that the sandbox accepted, by its log."""
        return self.log.read_text().count("accepted task=")


PASSWORD = "correct horse battery"
