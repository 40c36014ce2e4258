"""The files of one embedded PostgreSQL and the process that serves them.

"Cluster" is PostgreSQL's term for such a folder of databases. This module inspects it from
outside: by its lock file `postmaster.pid`, the process table, and the socket.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from imageeditor.postgres.errors import EmbeddedPostgresError
from imageeditor.postgres.places import MAJOR_VERSION, PORT, Place, run

_USER = "postgres"
_DATABASE = "portal"

# Written to postgresql.conf when the cluster is created; operators may change them there.
_FIRST_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """How to connect. `host` is the folder of a Unix socket."""

    host: str
    port: int
    user: str
    dbname: str


def make_cluster(place: Place) -> None:
    """Create the files of a new, empty server."""
    # Created under another name and then renamed: an incomplete one, after a power cut, is never used.
    unfinished = place.home / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    place.account.own(unfinished)
    arguments = [str(place.programs / "bin/initdb"), "-D", str(unfinished), "-U", _USER, "-E", "UTF8"]
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # No password: the only access is a socket in a folder that is closed to other users.
    arguments += ["--auth-local=trust", "--auth-host=reject"]
    for name, value in _FIRST_SETTINGS.items():
        arguments += ["--set", f"{name}={value}"]
    result = run(arguments, place.account)
    if result.returncode != 0:
        raise EmbeddedPostgresError(f"PostgreSQL could not make its files in {unfinished}:\n{result.stdout}")
    unfinished.rename(place.cluster)


def refuse_other_version(cluster: Path) -> None:
    """Raise EmbeddedPostgresError for files that this major version of PostgreSQL cannot read."""
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"The database in {cluster} was made by PostgreSQL {found}, and this portal brings "
            f"PostgreSQL {MAJOR_VERSION}. Go back to the portal's earlier release, dump the database with "
            f"pg_dump, move the folder away, start this release once and load the dump; or run the "
            f"folder with a PostgreSQL {found} of your own and set DATABASE_URL. Nothing was changed."
        )


def connection_info(cluster: Path) -> ConnectionInfo:
    return ConnectionInfo(host=socket_of(cluster), port=PORT, user=_USER, dbname=_DATABASE)


def make_database(info: ConnectionInfo) -> None:
    """Create the portal's database if it is missing."""
    with _connect(info.host) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [info.dbname]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(info.dbname)))


def _connect(folder: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=folder, port=PORT, user=_USER, dbname="postgres", autocommit=True, connect_timeout=5
    )


def accepts_connections(cluster: Path) -> bool:
    """Whether a server responds on the socket; False while it starts or stops."""
    try:
        _connect(socket_of(cluster)).close()
    except (psycopg.OperationalError, IndexError, FileNotFoundError):
        return False
    return True


def _lock_lines(cluster: Path) -> list[str]:
    """postmaster.pid: process id, data folder, start time, port, socket's folder, and more."""
    return (cluster / "postmaster.pid").read_text().splitlines()


def socket_of(cluster: Path) -> str:
    """The folder of the socket. Raises FileNotFoundError or IndexError if there is no server."""
    return _lock_lines(cluster)[4]


def command_of(pid: int | str) -> list[bytes]:
    """The command line of a running process; empty if there is none."""
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def postmaster_pid(cluster: Path) -> int | None:
    """The id of the running server process of `cluster`, or None."""
    try:
        pid, folder = _lock_lines(cluster)[:2]
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if os.fsencode(folder) in command_of(pid) else None


def remove_misleading_locks(cluster: Path, socket_folder: Path) -> None:
    """Remove a dead server's lock files if its process id is still, or again, in the process table.

    PostgreSQL would mistake that process for a running server and refuse to start. The id may be the
    dead server's own, not yet reaped, or another process's: a restarted container assigns the same
    ids again. Call it only when the server of `cluster` is known to be dead. PostgreSQL itself checks
    that its helper processes are gone too, by their shared memory.
    """
    for lock in (cluster / "postmaster.pid", socket_folder / f".s.PGSQL.{PORT}.lock"):
        with contextlib.suppress(FileNotFoundError):
            if Path("/proc", lock.read_text().partition("\n")[0].strip()).exists():
                lock.unlink()
