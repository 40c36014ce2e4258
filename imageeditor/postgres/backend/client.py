"""`manage.py dbshell` on the embedded server, with the psql that comes with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import client as postgresql

from imageeditor.postgres.launcher import ensure_running
from imageeditor.postgres.places import installed_programs


class DatabaseClient(postgresql.DatabaseClient):
    executable_name = str(installed_programs() / "bin/psql")

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        info = ensure_running(settings.DATA_DIR)
        settings_dict = settings_dict | {"HOST": info.host, "PORT": info.port, "USER": info.user}
        return super().settings_to_cmd_args_env(settings_dict, parameters)
