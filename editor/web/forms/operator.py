"""The forms of the operator's pages. The operations validate the values."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from editor.errors import EditorError
from editor.models import Plan, Rollover
from editor.queries.operator.workspaces import plans

ABOUT_REASON = {"required": "Enter a reason."}


class OperatorForm(forms.Form):
    """A form that shows errors of the operation beside its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs.setdefault("class", "inp")
                field.widget.attrs.setdefault("autocomplete", "off")
        first = next(iter(self.fields.values()), None)
        if first:
            first.widget.attrs["autofocus"] = True

    def refuse(self, error: EditorError) -> None:
        """Show why the operation refused it."""
        known = {name: text for name, text in error.fields.items() if name in self.fields}
        for name, text in known.items():
            self.add_error(name, text)
        if not known:
            self.add_error(None, error.message)


class ConfirmForm(OperatorForm):
    """Nothing to fill in."""


class ReasonForm(OperatorForm):
    reason = forms.CharField(label="Reason", max_length=200, error_messages=ABOUT_REASON)


class CreditsForm(OperatorForm):
    """Credits to give; a negative amount takes some back."""

    amount = forms.IntegerField(
        label="Amount",
        help_text="Credits. A negative number takes some back.",
        error_messages={"required": "Enter an amount.", "invalid": "Enter a whole number."},
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="The workspace's ledger shows it.",
        error_messages=ABOUT_REASON,
    )


class WorkspaceForm(OperatorForm):
    workspace_name = forms.CharField(
        label="Name", max_length=120, error_messages={"required": "Enter a name."}
    )
    email = forms.EmailField(
        label="Owner's email",
        max_length=254,
        help_text="A new address gets an account, and a mail with a link to choose a password.",
        error_messages={"required": "Enter an email address."},
    )
    plan = forms.ModelChoiceField(label="Plan", queryset=plans(), empty_label=None)


class PlanChoiceForm(OperatorForm):
    plan = forms.ModelChoiceField(label="Plan", queryset=plans(), empty_label=None)


class PlanForm(forms.ModelForm, OperatorForm):  # type: ignore[type-arg]
    class Meta:
        model = Plan
        fields: ClassVar[list[str]] = [
            "name",
            "monthly_credits",
            "rollover",
            "rollover_limit",
            "requests_per_minute",
            "concurrent_jobs",
            "storage_bytes",
            "seats",
            "own_keys",
            "is_default",
        ]

    monthly_credits = forms.IntegerField(
        label="Monthly credits",
        help_text="Given when a month begins, or at once to workspaces that get the plan. 0 for none.",
    )
    rollover = forms.ChoiceField(
        label="Unspent monthly credits", choices=Rollover.choices, help_text="When the next month begins."
    )
    rollover_limit = forms.IntegerField(
        label="At most this many stay", required=False, help_text="Only if up to a number of them stay."
    )

    def clean_rollover_limit(self) -> int:
        return self.cleaned_data["rollover_limit"] or 0

    def _post_clean(self) -> None:
        """Skipped: the operation changes and checks the row."""


class KeyForm(OperatorForm):
    key = forms.CharField(
        label="API key",
        widget=forms.PasswordInput,
        error_messages={"required": "Enter the key."},
    )
    secret = forms.CharField(
        label="API secret",
        required=False,
        widget=forms.PasswordInput,
        help_text="Only for keys with signed requests.",
    )

    def __init__(self, *args: Any, takes_secret: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_secret:
            del self.fields["secret"]


class ModelForm(OperatorForm):
    enabled = forms.BooleanField(label="Offered", required=False)
    credits = forms.IntegerField(
        label="Price of one image",
        required=False,
        help_text="Credits, on every route. Leave empty for the catalogue's price.",
    )
    retires_on = forms.DateField(
        label="Retires on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="From this day on (UTC) it cannot be used. Leave empty for never.",
    )


class PriceForm(OperatorForm):
    model = forms.ChoiceField(label="Model")
    credits = forms.IntegerField(
        label="Price of one image",
        required=False,
        help_text="Credits, on every route. Leave empty for what all others pay.",
    )

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = models  # type: ignore[attr-defined]


class MailForm(OperatorForm):
    email = forms.EmailField(label="Email", error_messages={"required": "Enter an email address."})
