"""The forms of a workspace's General page. The operations validate the values."""

from __future__ import annotations

from django import forms

from editor.models import Sharing


class NameForm(forms.Form):
    name = forms.CharField(label="Name", error_messages={"required": "Enter a name."})


class AddressForm(forms.Form):
    address = forms.CharField(label="Address", error_messages={"required": "Enter an address."})


class DefaultsForm(forms.Form):
    default_model = forms.CharField(label="Default model", required=False)
    trash_days = forms.IntegerField(label="Days in the trash")
    public_sharing = forms.ChoiceField(label="Who may share images publicly", choices=Sharing.choices)


class LimitsForm(forms.Form):
    monthly_limit = forms.IntegerField(label="Monthly budget", required=False)
    daily_limit = forms.IntegerField(label="Daily budget", required=False)
    approval_threshold = forms.IntegerField(label="Approval above", required=False)
    time_zone = forms.CharField(label="Time zone")


class DeleteForm(forms.Form):
    name = forms.CharField(label="Name of the workspace", required=False, strip=True)


class WorkspaceForm(forms.Form):
    """A new workspace."""

    workspace_name = forms.CharField(label="Workspace name", max_length=120)
