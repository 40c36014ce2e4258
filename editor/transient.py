"""Errors that say nothing about a job: what was tried may work later."""

from __future__ import annotations

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

from editor.shortage import is_shortage

# A database that went away; every other database error is a fault of ours that would come again.
DATABASE_LOST = (OperationalError, InterfaceError)
# As the queue tells of it, which wraps the driver's own.
_AT_THE_DRIVER = (psycopg.OperationalError, psycopg.InterfaceError)


def is_passing(error: BaseException) -> bool:
    """The database went away, or the machine lacks descriptors, memory or disk for the moment."""
    if is_shortage(error) or isinstance(error, DATABASE_LOST):
        return True
    return isinstance(error.__cause__, _AT_THE_DRIVER) and not isinstance(error, DatabaseError)
