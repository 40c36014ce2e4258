"""The form of the API keys page. The operation validates the values."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict

from editor.access import scopes
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.api_keys import LIVES
from editor.errors import InvalidInput

YOU, WORKSPACE = "you", "workspace"
_OUT_OF_ORDER = "This page is out of date; reload it and try again."


class ApiKeyForm(forms.Form):
    """A new key, with its future id: a form that is sent twice creates one key.

    It offers the scopes that the actor can give, and keys of the workspace to those who manage keys.
    """

    key_id = forms.UUIDField(error_messages={"required": _OUT_OF_ORDER, "invalid": _OUT_OF_ORDER})
    name = forms.CharField(label="Name", error_messages={"required": "Enter a name for the key."})
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        error_messages={"required": "Choose at least one scope."},
    )
    expires_in = forms.TypedChoiceField(
        label="Expires",
        choices=[(seconds or "", label) for seconds, label in LIVES.items()],
        coerce=int,
        empty_value=None,
        required=False,
    )
    belongs_to = forms.ChoiceField(
        label="Belongs to",
        choices=[(YOU, "You"), (WORKSPACE, "The workspace")],
        required=False,
    )
    monthly_cap = forms.IntegerField(
        label="Monthly cap",
        required=False,
        error_messages={"invalid": "Enter a whole number of credits, or nothing for no limit."},
    )
    daily_cap = forms.IntegerField(
        label="Daily cap",
        required=False,
        error_messages={"invalid": "Enter a whole number of credits, or nothing for no limit."},
    )
    signed = forms.BooleanField(label="Signed requests (Wiro)", required=False)

    def __init__(self, actor: Actor, data: QueryDict | None = None) -> None:
        offered = scopes.offered(actor.permissions)
        initial = {"key_id": uuid4(), "scopes": list(offered)[:1], "belongs_to": YOU}
        super().__init__(data, initial=initial, auto_id="api-key-%s")
        self.fields["scopes"].choices = list(offered.items())  # type: ignore[attr-defined]
        if not actor.may(Permission.KEYS_MANAGE):
            del self.fields["belongs_to"]

    def wanted(self) -> dict[str, Any]:
        """The arguments for `api_keys.create`. Raises InvalidInput with `fields`."""
        if not self.is_valid():
            fields = {field: " ".join(map(str, errors)) for field, errors in self.errors.items()}
            raise InvalidInput(" ".join(fields.values()), fields=fields)
        wanted = self.cleaned_data
        of_workspace = wanted.pop("belongs_to", YOU) == WORKSPACE
        return {**wanted, "of_workspace": of_workspace}

    def refuse(self, error: InvalidInput) -> None:
        """Show the operation's errors beside their fields."""
        for field, message in error.fields.items():
            if field not in self.errors:
                self.add_error(field, message)


class CapsForm(forms.Form):
    """What can be spent with a key."""

    monthly_cap = forms.IntegerField(label="A month", required=False)
    daily_cap = forms.IntegerField(label="A day", required=False)
