"""What the identity provider tells about people."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter


class GroupsAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Adds the names of the person's groups."""

    def get_claims(self, purpose: str, user: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_claims(purpose, user, *args, **kwargs)
        return claims | {"groups": list(user.groups.order_by("name").values_list("name", flat=True))}
