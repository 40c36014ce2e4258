"""What is particular to one kind of client, and who is calling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from editor.access.actor import Actor
from editor.access.scopes import allows
from editor.errors import EditorError, NotAuthenticated, PermissionDenied
from editor.gateway.asgi import Scope
from editor.models import ApiKey

# Where clients of all doors say who they are. Sent twice, it is not clear who that is: what is in front
# of the portal may have looked at the other one.
CREDENTIALS = ("authorization", "x-key", "x-api-key", "x-nonce", "x-signature")


class RepeatedCredentials(NotAuthenticated):
    """A header of CREDENTIALS was sent more than once."""


class Headers:
    """A request's headers by name in lower case; of repeated ones, the first."""

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
        """Those of CREDENTIALS that were sent more than once, which no door takes."""
        return [name for name in CREDENTIALS if name in self._repeated]

    def get(self, name: str) -> str:
        return self._headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Caller:
    """A program at work with somebody's key."""

    actor: Actor
    key: ApiKey

    def require(self, scope: str) -> None:
        """Raise PermissionDenied unless the key has this scope."""
        if not allows(self.key.scopes, scope):
            raise PermissionDenied(f"This API key does not have the scope “{scope}”.")


def bearer(headers: Headers) -> str:
    """The key in `Authorization: Bearer …`, "" where there is none."""
    scheme, _, key = headers.get("authorization").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _unsigned(headers: Headers, key: ApiKey) -> None:
    if key.signing_secret is not None:
        raise NotAuthenticated("This key is for signed requests: it works only with the Wiro-compatible API.")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is particular to one kind of client.

    name       as in Actor.channel
    body_limit bytes
    bare_key   where they put their key: from the headers, "" where there is none
    envelope   a body of JSON that tells of an error with this status, as they expect it
    is_open    paths that need no key
    is_poll    paths where clients only ask how a task is: counted apart, with a limit that is
               POLLS_FOR_A_REQUEST times the plan's
    verify     raises NotAuthenticated unless the headers hold what this key asks for besides
    status     the HTTP status that an error has there
    pass_name  of a request without a key whose address is signed, which lets it in: whatever comes with
               the same name is counted together; "" where it is not signed. It asks no database
    last_event what an event stream ends with when its caller has lost the right to it
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
