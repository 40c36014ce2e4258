"""The forms of the Members page and of invitations. The operations validate what is entered."""

from __future__ import annotations

import re

from django import forms

from editor.errors import InvalidInput
from editor.mail_addresses import normalized
from editor.models import Role
from editor.operations.invitations import LONGEST_ADDRESS, LONGEST_MESSAGE, MOST_AT_ONCE, ROLES

_BETWEEN = re.compile(r"[,;\n]+")
_QUOTED_NAME = re.compile(r'"[^"]*"\s*(?=<)')
_LONGEST_LIST = MOST_AT_ONCE * (LONGEST_ADDRESS + 2)  # characters
_CAP_DIGITS = 10
HINTS = {
    Role.ADMIN: "Members, keys, settings",
    Role.EDITOR: "Edits and presets",
    Role.VIEWER: "Looks and downloads",
}


def addresses(text: str) -> list[str]:
    """Email addresses separated by commas, semicolons or white space, without repeated ones.

    Mail programs copy them as `Sofia Brandt <sofia@acme.test>`: the names are left out.
    """
    entries = _BETWEEN.split(_QUOTED_NAME.sub("", text))
    return list(dict.fromkeys(normalized(word) for entry in entries for word in _words(entry)))


def _words(entry: str) -> list[str]:
    words = entry.split()
    return [word.strip("<>") for word in words if "@" in word] if "<" in entry else words


def cap(text: str, *, field: str = "monthly_cap") -> int | None:
    """Credits; None for an empty text. Raises InvalidInput for anything but a whole number."""
    text = text.strip().replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _CAP_DIGITS):
        problem = "Enter a whole number of credits, or nothing for no cap."
        raise InvalidInput(problem, fields={field: problem})
    return int(text)


class InviteForm(forms.Form):
    emails = forms.CharField(
        label="Email addresses",
        max_length=_LONGEST_LIST,
        error_messages={"required": "Enter at least one email address."},
    )
    role = forms.ChoiceField(
        label="Role", choices=[(role.value, role.label) for role in ROLES], initial=Role.EDITOR
    )
    access_image_editor = forms.BooleanField(label="Access Image Editor", required=False, initial=True)
    monthly_cap = forms.CharField(label="Monthly cap", required=False, max_length=20)
    message = forms.CharField(label="Message", required=False, max_length=LONGEST_MESSAGE)

    def choices(self) -> list[tuple[str, str, str]]:
        """(value, label, what it is for) of the roles."""
        return [(role.value, role.label, HINTS[role]) for role in ROLES]

    def refuse(self, error: InvalidInput) -> None:
        """Show the operation's errors beside their fields."""
        for field, message in (error.fields or {"": error.message}).items():
            self.add_error(field if field in self.fields else None, message)


class JoinForm(forms.Form):
    """An invited person's new account, with a password or a passkey. The operation validates them."""

    name = forms.CharField(label="Your name", max_length=120)
    password = forms.CharField(
        label="Password", max_length=200, strip=False, required=False, widget=forms.PasswordInput
    )
    credential = forms.CharField(required=False, max_length=10_000)
