"""Styles and characters. Their versions count the changes that affect edits, and changes of the name."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from editor.models import Character, Style

COUNTED = {"name", "prompt", "description"}


def save(*, preset: Style | Character, changed: Sequence[str]) -> None:
    """Store a new preset, or the `changed` fields of an existing one."""
    if preset._state.adding:
        preset.save()
    elif COUNTED.isdisjoint(changed):
        preset.save(update_fields=changed)
    else:
        # Concurrent changes must each count.
        preset.version = F("version") + 1
        preset.save(update_fields=[*changed, "version"])
        preset.refresh_from_db(fields=["version"])


def sent_prompt(*, prompt: str, style: Style | None, character: Character | None) -> str:
    """The person's prompt, followed by what the chosen presets add."""
    added = [character.description if character else "", style.prompt if style else ""]
    parts = [part.strip().rstrip(".,;") for part in (prompt, *added) if part.strip()]
    return ", ".join(parts) if any(added) else prompt
