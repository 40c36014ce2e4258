"""The form of the API keys page. The operation validates the values."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict

from editor.access.scopes import EVERYTHING, SCOPES
from editor.contexts.api_keys import LIVES
from editor.errors import InvalidInput

_OUT_OF_ORDER = "This page is out of date; reload it and try again."


class ApiKeyForm(forms.Form):
    """A new key, with its future id: a form that is sent twice creates one key."""

    key_id = forms.UUIDField(error_messages={"required": _OUT_OF_ORDER, "invalid": _OUT_OF_ORDER})
    name = forms.CharField(label="Name", error_messages={"required": "Enter a name for the key."})
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        choices=list(SCOPES.items()),
        error_messages={"required": "Choose at least one scope."},
    )
    expires_in = forms.TypedChoiceField(
        label="Expires",
        choices=[(seconds or "", label) for seconds, label in LIVES.items()],
        coerce=int,
        empty_value=None,
        required=False,
    )
    signed = forms.BooleanField(label="Signed requests (Wiro)", required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        first = {"key_id": uuid4(), "scopes": [EVERYTHING]}
        super().__init__(data, initial=first, auto_id="api-key-%s")

    def wanted(self) -> dict[str, Any]:
        """The arguments for `api_keys.create`. Raises InvalidInput with `fields`."""
        if not self.is_valid():
            fields = {field: " ".join(map(str, errors)) for field, errors in self.errors.items()}
            raise InvalidInput(" ".join(fields.values()), fields=fields)
        return self.cleaned_data

    def refuse(self, error: InvalidInput) -> None:
        """Show the operation's errors beside their fields."""
        for field, message in error.fields.items():
            if field not in self.errors:
                self.add_error(field, message)
