"""Starts, joins, watches and stops the embedded PostgreSQL of one data folder.

Several processes may use one server: the portal, a separate worker, any `manage.py` command.
Each holds a shared lock on `postgres.users` as long as it runs. The last one to exit stops the
server. A killed process loses its lock and stops nothing; the server keeps running and the next
process joins it. Starting and stopping happen under the lock `postgres.lock`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from imageeditor.postgres.cluster import (
    ConnectionInfo,
    accepts_connections,
    command_of,
    connection_info,
    make_cluster,
    make_database,
    postmaster_pid,
    refuse_other_version,
    remove_misleading_locks,
)
from imageeditor.postgres.errors import EmbeddedPostgresError
from imageeditor.postgres.places import PORT, Place, environment, find_place, socket_folder

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0  # recovery after a crash can take a while
_RETRY_SECONDS = 15.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
_CANNOT_LOOK = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_LARGEST_LOG = 10 * 1024 * 1024  # bytes


class _Server:
    """The server of one data folder, as this process sees it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.place: Place | None = None
        self.users: int | None = None  # file descriptor with the shared lock
        self.info: ConnectionInfo | None = None

    def is_alive(self) -> bool:
        """Whether the server is running; assumed if a lack of descriptors or memory prevents the check."""
        if self.place is None:
            return False
        try:
            return postmaster_pid(self.place.cluster) is not None
        except OSError as error:
            if error.errno not in _CANNOT_LOOK:
                raise
            return True

    def ensure_running(self) -> ConnectionInfo:
        with self._exclusive():
            if self.users is None:
                self.users = os.open(self.data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self.users, fcntl.LOCK_SH)
            self.place = self.place or find_place(self.data_dir)
            if not self.place.cluster.exists():
                make_cluster(self.place)
            refuse_other_version(self.place.cluster)
            try:
                self.info = self._start_or_join(self.place)
            except (FileNotFoundError, IndexError, psycopg.OperationalError):
                self.info = self._start_or_join(
                    self.place
                )  # it ended between becoming ready and the connection
        return self.info

    def _start_or_join(self, place: Place) -> ConnectionInfo:
        """Start or join the server, and create its database if missing."""
        if not self._wait_until_ready(place):
            self._start(place)
        info = connection_info(place.cluster)
        make_database(info)
        return info

    def release(self) -> None:
        if self.users is None:
            return
        with self._exclusive():
            fcntl.flock(self.users, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._stop()
            self.forget()

    def forget(self) -> None:
        if self.users is not None:
            os.close(self.users)
            self.users = None

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        lock = os.open(self.data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _wait_until_ready(self, place: Place, *, started: int | None = None) -> bool:
        """True once the server accepts connections, False as soon as there is no server.

        `started` is the process that is becoming the server, if any.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if postmaster_pid(place.cluster) is not None:
                if accepts_connections(place.cluster):
                    return True
            elif started is None or not command_of(started):
                return False
            time.sleep(_POLL_SECONDS)
        raise EmbeddedPostgresError(
            self._with_log(f"PostgreSQL was not ready after {_START_SECONDS:.0f} seconds.")
        )

    def _start(self, place: Place) -> None:
        if accepts_connections(place.cluster):
            raise EmbeddedPostgresError(
                f"{place.cluster} is in use by a server in another container or on another machine, and "
                f"only one may use it. To run several, give all of them one DATABASE_URL."
            )
        folder = socket_folder(place)
        remove_misleading_locks(place.cluster, folder)
        deadline = time.monotonic() + _RETRY_SECONDS
        while not self._wait_until_ready(place, started=self._spawn(place, folder)):
            # After a crash the old server's helper processes may hold its shared memory a moment longer.
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(self._with_log("PostgreSQL does not start."))
            time.sleep(0.25)

    def _spawn(self, place: Place, folder: Path) -> int:
        """Start the server, listening in `folder`, detached: it may outlive us. Returns its process id."""
        server = [str(place.programs / "bin/postgres"), "-D", str(place.cluster)]
        server += ["-k", str(folder), "-p", str(PORT), "-c", "listen_addresses="]
        with self._open_log() as log:
            shell = subprocess.run(
                ["sh", "-c", '"$@" >&2 & echo $!', "sh", *server],
                user=place.account.uid,
                group=place.account.gid,
                extra_groups=place.account.groups,
                cwd="/",
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl+C must reach only the portal, which then stops the server
                check=False,
            )
        if shell.returncode != 0:  # no memory for another process, or too many of them
            raise EmbeddedPostgresError(self._with_log("PostgreSQL could not be started."))
        return int(shell.stdout)

    def _stop(self) -> None:
        pid = None if self.place is None else postmaster_pid(self.place.cluster)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)  # "fast": closes connections, writes everything, exits
        deadline = time.monotonic() + _STOP_SECONDS
        while command_of(pid):
            if time.monotonic() > deadline:
                logger.warning("PostgreSQL (process %s) is slow to stop; leaving it running.", pid)
                return
            time.sleep(_POLL_SECONDS)
        if self.info is not None:
            with contextlib.suppress(OSError):
                Path(self.info.host).rmdir()

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[int]:
        path = self.data_dir / "postgres.log"
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_name("postgres.log.old"))
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield log
        finally:
            os.close(log)

    def _with_log(self, what: str) -> str:
        log = self.data_dir / "postgres.log"
        last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""
        return f"{what} The end of {log}:\n{last_lines}"


_servers: dict[Path, _Server] = {}
_guard = threading.RLock()


def ensure_running(data_dir: Path) -> ConnectionInfo:
    """Start or join the server of `data_dir` and return how to connect to it.

    Creates the folder and the database on first use, and restarts a dead server. Safe across threads
    and processes; takes microseconds if it is already running. The server is not stopped until this
    process ends or calls `release`. Raises EmbeddedPostgresError.
    """
    with _guard:
        server = _servers.get(data_dir)
        if server is not None and server.info is not None and server.is_alive():
            return server.info
        if sys.platform != "linux":
            raise EmbeddedPostgresError("The embedded PostgreSQL runs on Linux. Elsewhere, set DATABASE_URL.")
        if server is None:
            server = _servers[data_dir] = _Server(data_dir.resolve())
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            return server.ensure_running()
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{error.filename} belongs to another user: the portal was started by someone else "
                f"before. Start it as that user, or give DATA_DIR another value."
            ) from error


def is_running(data_dir: Path) -> bool:
    """Whether the server that this process joined by `ensure_running` is still running."""
    with _guard:
        server = _servers.get(data_dir)
        return server is not None and server.is_alive()


def release(data_dir: Path) -> None:
    """Stop using the server; the last process to do so stops it.

    Called automatically for all servers when a process exits.
    """
    with _guard:
        server = _servers.pop(data_dir, None)
        if server is not None:
            server.release()


async def supervise(data_dir: Path, *, every: float = 1.0) -> None:
    """Restart the server whenever it dies, until cancelled. Checks every `every` seconds."""
    while True:
        await asyncio.sleep(every)
        try:
            if not is_running(data_dir):
                logger.warning("PostgreSQL ended unexpectedly; starting it again.")
                await asyncio.to_thread(ensure_running, data_dir)
        except Exception:  # the supervisor must never end
            logger.exception("PostgreSQL could not be started; trying again.")


def _release_all() -> None:
    for data_dir in list(_servers):
        release(data_dir)


def _forget_in_child() -> None:
    """A forked child is not a separate user: the parent's lock must end with the parent."""
    for server in _servers.values():
        server.forget()
    _servers.clear()


atexit.register(_release_all)
os.register_at_fork(after_in_child=_forget_in_child)
