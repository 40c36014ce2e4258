"""The sign-in page: allauth's, with passkeys where they work, and the operator's identity providers."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings

from editor.web.second_factor import passkeys_work


class SignInView(LoginView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["passkeys_work"] = passkeys_work(self.request)
        context["oidc_providers"] = settings.OIDC_PROVIDERS.values()
        return context


sign_in = SignInView.as_view()
