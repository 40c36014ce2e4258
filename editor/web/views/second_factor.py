"""allauth's pages for passkeys, where they differ from its own: every passkey can sign in alone."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.shortcuts import resolve_url
from django.urls import reverse_lazy
from django.views.generic.edit import FormView


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]
    """Checks the passkey that the browser made; the page's script requests the options when it needs them."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        return context

    def get_success_url(self) -> str:
        return resolve_url("mfa_view_recovery_codes" if self.did_generate_recovery_codes else "account")


class RemovePasskeyView(RemoveWebAuthnView):  # type: ignore[misc]
    success_url = reverse_lazy("account")


add_passkey = AddPasskeyView.as_view()
remove_passkey = RemovePasskeyView.as_view()
