"""Entries of the audit log in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from editor.contexts.audit_sentences import LABELS, SENTENCES
from editor.models import AuditEntry

Kind = AuditEntry.ActorKind

COUNTED = {"images": "image", "days": "day", "amount": "credit"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def who(entry: AuditEntry) -> str:
    """Who acted, as in "Mei Tanaka, key “n8n (a1b2c3d4)”"."""
    name = entry.actor.display_name if entry.actor else entry.actor_name
    if entry.actor_kind == Kind.KEY:
        key = entry.data.get("key_name") or entry.data.get("key", "")
        is_own = entry.actor is not None and entry.actor.is_service_account
        return f"Key “{key}”" if is_own or not name else f"{name}, key “{key}”"
    if entry.actor_kind == Kind.OPERATOR:
        return f"{name} (operator)"
    return name or ("Visitor" if entry.actor_kind == Kind.VISITOR else "System")


def what(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """What was done, in one sentence. `names`: of the people whose email may be the target."""
    target = names.get(entry.target, entry.target)
    template = SENTENCES.get(entry.action)
    if template is None:  # of an earlier or later version of the portal
        return f"{entry.action.replace('.', ' ').replace('_', ' ').capitalize()}: {target}"
    changed = _changes(entry)
    if len(changed) == 1 and template == "Changed {target}{changes}":
        return f"Changed {changed[0][0]} of {target}: {changed[0][1]}"
    changes = ", ".join(_phrase(*change) for change in changed)
    values = {name: _counted(name, value) for name, value in entry.data.items()}
    note = f": {entry.data['note']}" if entry.data.get("note") else ""
    words = _Words(values | {"target": target, "note": note, "changes": f": {changes}" if changes else ""})
    return template.format_map(words).strip()


def details(entry: AuditEntry) -> str:
    """Values before and after that the sentence leaves out."""
    if "{changes}" in SENTENCES.get(entry.action, ""):
        return ""
    return ", ".join(_phrase(*change) for change in _changes(entry))


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _changes(entry: AuditEntry) -> list[tuple[str, str]]:
    """Each changed value: its name, and "Editor → Viewer", or only the new value."""
    before, after = entry.before, entry.after or {}
    found = []
    for name in {**(before or {}), **after}:
        new = _value(after.get(name))
        old = _value(before.get(name)) if before is not None and name in before else None
        found.append((LABELS.get(name, name.replace("_", " ")), new if old is None else f"{old} → {new}"))
    return found


def _phrase(label: str, change: str) -> str:
    return f"{label} {change}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    text = str(value)
    if _TIME.match(text):
        local = timezone.localtime(datetime.fromisoformat(text))
        return f"{local.day} {local:%b %Y %H:%M}"
    return text.capitalize() if text in ("owner", "admin", "editor", "viewer") else text


def _counted(name: str, value: Any) -> str:
    unit = COUNTED.get(name)
    if unit is None or not isinstance(value, int):
        return _value(value)
    return f"{value:,} {unit}" if abs(value) == 1 else f"{value:,} {unit}s"
