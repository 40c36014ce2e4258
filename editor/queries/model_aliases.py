"""Model aliases."""

from __future__ import annotations

from editor.models import ModelAlias


def targets() -> dict[str, str]:
    """Alias -> model or tier."""
    return dict(ModelAlias.objects.values_list("name", "target"))
