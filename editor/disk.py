"""Free disk space for the database, files and temporary files.

Below a reserve (the setting STORAGE_RESERVE) uploads and new edits are refused, so that the
database can still write and running edits can still store their results.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.conf import settings
from psycopg import errors as postgres

from editor.errors import DiskFull, EditorError, chain
from editor.shortage import NO_SPACE
from imageeditor.postgres import places

# The default reserve is the smaller of these two.
RESERVE_BYTES = 1024**3
RESERVE_SHARE = 0.05  # of the file system


def check() -> None:
    """Raise DiskFull while less than the reserve is free."""
    if is_low():
        raise DiskFull


def is_low() -> bool:
    """Whether less than the reserve is free in any of the folders that the portal writes to."""
    return any(_is_low(folder) for folder in {settings.DATA_DIR, _database(), Path(tempfile.gettempdir())})


def is_cause(error: BaseException | None) -> bool:
    """Whether a full disk, here or under PostgreSQL, caused this error."""
    return any(
        (isinstance(cause, OSError) and cause.errno in NO_SPACE) or isinstance(cause, postgres.DiskFull)
        for cause in chain(error)
    )


def error_for(error: BaseException, *, otherwise: EditorError) -> EditorError:
    """DiskFull if a full disk caused this unexpected error, else `otherwise`."""
    return DiskFull() if is_cause(error) else otherwise


@contextmanager
def explained() -> Iterator[None]:
    """Raise DiskFull in place of a write error caused by a lack of space."""
    try:
        yield
    except Exception as error:
        if is_cause(error):
            raise DiskFull from error
        raise


def _is_low(folder: Path) -> bool:
    usage = shutil.disk_usage(folder)
    reserve: int | None = settings.STORAGE_RESERVE
    if reserve is None:
        reserve = min(RESERVE_BYTES, int(usage.total * RESERVE_SHARE))
    return usage.free < reserve


@cache
def _database() -> Path:
    """The folder of the embedded database's files; DATA_DIR if the database is an external server."""
    if settings.DATABASES["default"]["ENGINE"] != "imageeditor.postgres.backend":
        return Path(settings.DATA_DIR)
    return places.find_place(settings.DATA_DIR).cluster
