"""Django's PostgreSQL engine, which starts or joins the embedded server when it first connects.

Importing it or running `manage.py check` starts nothing. The server is the one of
`settings.DATA_DIR`; HOST, PORT and USER of the settings are not used.
"""

from __future__ import annotations

import atexit
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base as postgresql
from django.db.utils import OperationalError

from imageeditor.postgres.backend.client import DatabaseClient
from imageeditor.postgres.errors import EmbeddedPostgresError
from imageeditor.postgres.launcher import ensure_running


class DatabaseWrapper(postgresql.DatabaseWrapper):
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters for the embedded server, which is running when this returns.

        Django calls this before each new connection, and with a pool before each checkout, so a dead
        server is restarted before it is needed.
        """
        try:
            info = ensure_running(settings.DATA_DIR)
        except (EmbeddedPostgresError, OSError) as error:  # the latter: no descriptor, no disk
            raise OperationalError(str(error)) from error
        params: dict[str, Any] = super().get_connection_params()
        params |= {"host": info.host, "port": info.port, "user": info.user}
        return params


# Registered after the launcher's handler, so it runs first: connections close before the server stops.
@atexit.register
def _close_pools() -> None:
    for pool in DatabaseWrapper._connection_pools.values():  # type: ignore[attr-defined]
        pool.close()
