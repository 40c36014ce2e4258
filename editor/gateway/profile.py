"""Profiles of the APIs, and their callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from editor.access import scopes
from editor.access.actor import Actor
from editor.errors import EditorError, NotAuthenticated, PermissionDenied
from editor.gateway.asgi import Scope
from editor.models import ApiKey

# Headers with credentials in all APIs. Repeated ones are ambiguous: a proxy in front of the portal may
# have checked the other one.
CREDENTIALS = ("authorization", "x-key", "x-api-key", "x-nonce", "x-signature")


class RepeatedCredentials(NotAuthenticated):
    """A header of CREDENTIALS was sent more than once."""


class Headers:
    """A request's headers by lowercase name; the first of repeated ones."""

    def __init__(self, scope: Scope) -> None:
        self._headers: dict[str, str] = {}
        self._repeated: set[str] = set()
        for raw_name, value in scope["headers"]:
            name = raw_name.decode("latin-1")
            if name in self._headers:
                self._repeated.add(name)
            else:
                self._headers[name] = value.decode("latin-1")

    def repeated_credentials(self) -> list[str]:
        """Those of CREDENTIALS that were sent more than once, which no API accepts."""
        return [name for name in CREDENTIALS if name in self._repeated]

    def get(self, name: str) -> str:
        return self._headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Caller:
    """An API client and its key."""

    actor: Actor
    key: ApiKey

    def require(self, scope: str) -> None:
        """Raise PermissionDenied unless the key has this scope, and its holder the scope's permission."""
        if not scopes.allows(self.key.scopes, scope):
            raise PermissionDenied(f"This API key does not have the scope “{scope}”.")
        self.actor.require(scopes.PERMISSIONS[scope])


def bearer(headers: Headers) -> str:
    """The key in `Authorization: Bearer …`, or ""."""
    scheme, _, key = headers.get("authorization").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _unsigned(headers: Headers, key: ApiKey) -> None:
    if key.signing_secret is not None:
        raise NotAuthenticated("This key is for signed requests: it works only with the Wiro-compatible API.")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is specific to one API.

    name            as in Actor.channel
    body_limit      bytes
    bare_key        the key in the headers, or ""
    envelope        the JSON body of an error with this status
    is_open         paths that need no key
    is_poll         paths for polling: counted separately, with POLLS_FOR_A_REQUEST times the plan's limit
    verify          raises NotAuthenticated unless the headers contain what else this key requires
    status          the HTTP status of an error
    signed_subject  what a signed URL grants access to without a key, or ""; requests with the same
                    subject are counted together. Must not query the database
    last_event      the last event of a stream whose caller has lost access
    """

    name: str
    body_limit: int
    bare_key: Callable[[Headers], str]
    envelope: Callable[[int, EditorError], bytes]
    is_open: Callable[[str], bool] = lambda path: False
    is_poll: Callable[[str], bool] = lambda path: False
    verify: Callable[[Headers, ApiKey], None] = _unsigned
    status: Callable[[EditorError], int] = lambda error: error.status
    signed_subject: Callable[[Scope, Headers], str] = lambda scope, headers: ""
    last_event: Callable[[Scope, EditorError], bytes] = lambda scope, error: b""
