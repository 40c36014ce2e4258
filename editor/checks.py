"""What `manage.py check` says about the portal's own configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from editor import catalog
from editor.catalog.loader import CatalogError
from editor.providers import registry


@register
def check_catalogue(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong model file is an error that names the file, the key and what is wrong with it."""
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
