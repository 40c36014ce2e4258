"""Background tasks of the portal or a worker on this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from django.conf import settings
from django.db import connection

from imageeditor.postgres.launcher import supervise


def background_tasks() -> list[Callable[[], Awaitable[None]]]:
    """The embedded database's supervisor, if the embedded database is used."""
    if connection.settings_dict["ENGINE"] != "imageeditor.postgres.backend":
        return []
    return [partial(supervise, settings.DATA_DIR)]
