"""What else the models here are called."""

from __future__ import annotations

from editor.models import ModelAlias


def targets() -> dict[str, str]:
    """The model or tier that each alias stands for, by the alias's name."""
    return dict(ModelAlias.objects.values_list("name", "target"))
