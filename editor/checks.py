"""System checks of the portal's configuration, run by `manage.py check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from editor import catalog
from editor.access import vault
from editor.catalog.loader import CatalogError
from editor.net import policy
from editor.providers import registry


@register
def check_catalogue(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report each invalid model file, with the file, the key and what is wrong with it."""
    try:
        models = catalog.catalog().models.values()
    except CatalogError as error:
        return [Error(problem, id="editor.E001") for problem in error.problems]
    known = set(registry.providers())
    return [
        Error(f"{model.id}: the route names an unknown provider, {route.provider!r}", id="editor.E002")
        for model in models
        for route in model.routes
        if route.provider not in known
    ]


@register
def check_encryption_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report keys short enough to guess. The message gives a key's position, not its text."""
    return [
        Error(
            f"ENCRYPTION_KEYS: key {place} has fewer than {vault.SHORTEST_KEY} characters.",
            hint="Make one with: openssl rand -base64 48",
            id="editor.E003",
        )
        for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1)
        if len(key) < vault.SHORTEST_KEY
    ]


@register
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report each address, host name or mail server in the settings that is invalid, and why."""
    return [Error(problem, id="editor.E006") for problem in settings.INVALID_SETTINGS]


@register
def check_workspace_creation(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a value of WORKSPACE_CREATION that is not known."""
    if settings.WORKSPACE_CREATION in ("everyone", "operators"):
        return []
    return [Error("WORKSPACE_CREATION: must be everyone or operators.", id="editor.E008")]


@register
def check_outbound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report invalid exemptions, and providers' addresses that the portal may not call."""
    try:
        policy.allow(settings.OUTBOUND_ALLOW)
    except ValueError as error:
        return [Error(f"OUTBOUND_ALLOW: {problem}.", id="editor.E004") for problem in error.args]
    errors: list[CheckMessage] = []
    for provider, given in settings.PROVIDERS.items():
        if not given["base_url"]:
            continue
        try:
            policy.check_url(given["base_url"])
        except policy.Forbidden as error:
            errors.append(
                Error(
                    f"{provider.upper()}_BASE_URL: {error.message}",
                    hint="Name the host or network of a server of your own in OUTBOUND_ALLOW.",
                    id="editor.E005",
                )
            )
    return errors
