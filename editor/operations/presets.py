"""Styles and characters. Their versions count what makes edits come out otherwise, or bear another name."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from editor.models import Character, Style

COUNTED = {"name", "prompt", "description"}


def save(*, preset: Style | Character, changed: Sequence[str]) -> None:
    """Store a new one, or these fields of one that was changed."""
    if preset._state.adding:
        preset.save()
    elif COUNTED.isdisjoint(changed):
        preset.save(update_fields=changed)
    else:
        # Others may change it at the same moment: each change counts.
        preset.version = F("version") + 1
        preset.save(update_fields=[*changed, "version"])
        preset.refresh_from_db(fields=["version"])
