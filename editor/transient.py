"""Transient errors, which say nothing about a job: a retry may succeed."""

from __future__ import annotations

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

from editor.shortage import is_shortage

# The database is unreachable; every other database error is a bug here that would recur.
DATABASE_LOST = (OperationalError, InterfaceError)
# The same from the queue, which wraps the driver's own errors.
_AT_THE_DRIVER = (psycopg.OperationalError, psycopg.InterfaceError)


def is_passing(error: BaseException) -> bool:
    """Whether the database is unreachable, or the machine is short of descriptors, memory or disk."""
    if is_shortage(error) or isinstance(error, DATABASE_LOST):
        return True
    return isinstance(error.__cause__, _AT_THE_DRIVER) and not isinstance(error, DatabaseError)
