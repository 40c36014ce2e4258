import contextlib

from django.apps import AppConfig
from django.conf import settings


class EditorConfig(AppConfig):
    name = "editor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from editor import checks  # noqa: F401  (registers the system checks)
        from editor.net import policy
        from editor.operations import sessions  # noqa: F401  (listens to sessions and people)
        from editor.web import (  # noqa: F401  (listen to allauth and to sign-ins)
            account_signals,
            sign_in_limits,
            sign_in_signals,
        )

        # An invalid network exempts nothing; `check_outbound` reports why.
        with contextlib.suppress(ValueError):
            policy.allow(settings.OUTBOUND_ALLOW)
