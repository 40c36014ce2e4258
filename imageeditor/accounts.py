"""Settings of people's accounts: who may sign up, and the identity providers they sign in with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from imageeditor import addresses, environment
from imageeditor.environment import env, parsed, texts

SIGNUPS = ("invite", "open", "domains")
ROLES = ("admin", "editor", "viewer")  # owners are made by people
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class GroupRole:
    """The role in a workspace, by its slug, that a group of an identity provider stands for."""

    group: str
    workspace: str
    role: str


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID Connect provider. `claim` names the list of groups in what it tells about a person."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    roles: tuple[GroupRole, ...]

    @property
    def app(self) -> dict[str, Any]:
        """As allauth's SOCIALACCOUNT_PROVIDERS lists it."""
        return {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {"server_url": self.issuer},
        }


def signup(text: str) -> str:
    """A value of SIGNUP. Raises ValueError with the reason."""
    if text not in SIGNUPS:
        raise ValueError(f"it must be {', '.join(SIGNUPS[:-1])} or {SIGNUPS[-1]}, not “{text}”")
    return text


def domain(text: str) -> str:
    """A domain of email addresses, as in `example.com`. Raises ValueError with the reason."""
    if "@" in text:
        raise ValueError(f"“{text}” must be written “{text.rpartition('@')[2]}”")
    return addresses.host(text)


def oidc_providers() -> dict[str, OidcProvider]:
    """The providers that OIDC_PROVIDERS names; invalid ones are left out and reported."""
    found = (_provider(name) for name in parsed("OIDC_PROVIDERS", texts("OIDC_PROVIDERS"), _name))
    return {provider.id: provider for provider in found if provider}


def _provider(name: str) -> OidcProvider | None:
    prefix = f"OIDC_{name.upper().replace('-', '_')}"
    issuer = parsed(f"{prefix}_URL", [env.str(f"{prefix}_URL", default="").strip()], _issuer)
    client_id = env.str(f"{prefix}_CLIENT_ID", default="").strip()
    if not client_id:
        environment.INVALID_SETTINGS.append(f"{prefix}_CLIENT_ID: it is missing.")
    if not issuer or not client_id:
        return None
    return OidcProvider(
        id=name,
        name=env.str(f"{prefix}_NAME", default="").strip() or name.capitalize(),
        issuer=issuer[0],
        client_id=client_id,
        client_secret=env.str(f"{prefix}_CLIENT_SECRET", default="").strip(),
        claim=env.str(f"{prefix}_GROUPS_CLAIM", default="groups").strip(),
        roles=tuple(parsed(f"{prefix}_ROLES", texts(f"{prefix}_ROLES"), _group_role)),
    )


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError(f"“{text}” must have only lower-case letters, digits and hyphens")
    return text


def _issuer(text: str) -> str:
    url = urlsplit(text)
    if url.scheme == "https" and url.hostname:
        return text.rstrip("/")
    if url.scheme == "http" and url.hostname in LOCAL:
        return text.rstrip("/")
    raise ValueError(f"“{text}” must be an https URL, the provider's issuer")


def _group_role(text: str) -> GroupRole:
    """As in `designers=acme-studio:editor`."""
    group, _, rest = text.rpartition("=")
    workspace, _, role = rest.partition(":")
    if not group or not workspace or role not in ROLES:
        raise ValueError(f"“{text}” must be written group=workspace:role, with a role of {', '.join(ROLES)}")
    return GroupRole(group=group.strip(), workspace=workspace.strip(), role=role)
