"""Speeds up the tests' embedded server."""

from __future__ import annotations

import psycopg

from imageeditor.postgres.cluster import ConnectionInfo


def no_waiting_for_the_disk(info: ConnectionInfo) -> None:
    """Test data may be lost in a power failure, and only then."""
    with psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname) as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
