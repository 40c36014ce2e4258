"""A portal of its own for browser tests: started as `make run` starts it, with its own data and port."""

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
TEMPLATE = "template"  # the portal that others begin as

# In a prompt: the sandbox works for longer than any test waits, and tells of progress after three seconds.
LASTING = "[slow:250]"


class Portal:
    """The server process, its data folder, and ways to hurt it."""

    made: ClassVar[list[Portal]] = []  # all of this process, in order

    def __init__(self, folder: Path, **environment: str) -> None:
        Portal.made.append(self)
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "portal.log"
        # Held until the portal is removed: nobody else is given this port, also while the portal is down.
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
        self.limits = ""  # what a shell says before it becomes the portal, e.g. "ulimit -n 1024"

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
        """End it as Ctrl+C does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop it, and delete a database that could not live in the data folder."""
        if self.process and self.process.poll() is None:
            self.stop()
        self._held.close()
        home = find_place(self.data).cluster.parent
        if not home.is_relative_to(self.data):
            shutil.rmtree(home)

    def kill(self) -> None:
        """kill -9, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

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
        """To the portal's database, which must be running: this starts nothing."""
        info = connection_info(find_place(self.data).cluster)
        return psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the portal's database."""
        with self.connect() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def no_new_images(self) -> Iterator[None]:
        """Within the block every edit stops where its result would become an image and its price be settled.

        Uploads stop there too. Few edits at a time: each holds a thread of the engine's.
        """
        with self.connect() as connection:
            connection.execute("LOCK TABLE editor_image IN SHARE MODE")
            yield

    def waiting(self) -> int:
        """How many transactions are held up: one at the lock of `no_new_images`, the others behind it."""
        [(count,)] = self.query("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(count)

    def let_the_sandbox_finish(self) -> None:
        """What it works on now is done as soon as the job is taken up again, by whatever process."""
        self.query(
            "UPDATE editor_job SET provider_state = provider_state || '{\"started_at\": 0}' "
            "WHERE provider_state ? 'started_at' RETURNING id"
        )

    def times_asked(self) -> int:
        """How many edits the sandbox was asked for, by its own account in the log."""
        return self.log.read_text().count("accepted task=")


PASSWORD = "correct horse battery"
