"""The form of the Webhooks page. The operation validates the endpoint."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from editor.contexts.webhooks import event_choices
from editor.errors import InvalidInput


class EndpointForm(forms.Form):
    """A new endpoint. All events are selected initially."""

    url = forms.CharField(label="URL", error_messages={"required": "Enter an https URL."})
    events = forms.MultipleChoiceField(
        label="Events",
        choices=event_choices,
        error_messages={"required": "Choose at least one event."},
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        first = {"events": [name for name, _ in event_choices()]}
        super().__init__(data, initial=first, auto_id="webhook-%s")

    def wanted(self) -> tuple[str, list[str]]:
        """The URL and the events. Raises InvalidInput with `fields`."""
        if not self.is_valid():
            fields = {field: " ".join(map(str, errors)) for field, errors in self.errors.items()}
            raise InvalidInput(" ".join(fields.values()), fields=fields)
        return self.cleaned_data["url"], self.cleaned_data["events"]

    def refuse(self, error: InvalidInput) -> None:
        """Show the operation's errors beside their fields."""
        for field, message in error.fields.items():
            if field not in self.errors:
                self.add_error(field, message)
