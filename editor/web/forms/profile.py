"""The forms of the account page."""

from __future__ import annotations

from django import forms

from editor.contexts.account import time_zones
from editor.operations.people import NAME_LENGTH
from editor.web.context_processors import THEMES


class ProfileForm(forms.Form):
    name = forms.CharField(label="Name", max_length=NAME_LENGTH, required=False)
    email = forms.EmailField(label="Email", max_length=254)


class AppearanceForm(forms.Form):
    """Choices of this browser. `zone`: empty for the browser's own."""

    theme = forms.ChoiceField(label="Theme", choices=[(name, name) for name in THEMES])
    zone = forms.ChoiceField(label="Time zone", required=False, choices=lambda: [("", ""), *zone_choices()])


def zone_choices() -> list[tuple[str, str]]:
    """Name and label, as in ("America/New_York", "America/New York")."""
    return [(name, name.replace("_", " ")) for name in time_zones()]
