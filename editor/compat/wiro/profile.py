"""The Wiro-compatible API's gateway profile: x-api-key, signatures, and the envelope of errors.

Source: the contract of Wiro's API, sections 1 (auth) and 11 (errors). Most errors have HTTP status 200;
those of the gateway middleware keep their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from editor.access import signatures
from editor.errors import EditorError, NotAuthenticated
from editor.gateway.profile import Headers, Profile
from editor.models import ApiKey

PATHS = ("/v1/Run/", "/v1/Task/", "/v1/Tool/", "/v1/File/")
BODY_LIMIT = 100 * 1024 * 1024  # bytes; as at Wiro
_POLLS = {"/v1/Task/Detail"}

OTHER, UNKNOWN, TOO_MANY, NO_FUNDS = 0, 1, 96, 97


class Refused(EditorError):
    """An error with Wiro's message and number."""

    code = "refused"
    status = 200

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


def refusal(problems: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """An error response with Wiro's number and message for each problem."""
    return {"result": False, "errors": [{"code": code, "message": message} for code, message in problems]}


def nonce(headers: Headers) -> str:
    """The signed nonce, or ""."""
    return headers.get("x-nonce").strip()


def _bare_key(headers: Headers) -> str:
    return headers.get("x-api-key").strip()


def _envelope(status: int, error: EditorError) -> bytes:
    text = error.message
    if isinstance(error, NotAuthenticated) and not isinstance(error, signatures.NotSigned):
        text = "Project authorization is not founded."
    if status == 404:
        text = "Error parsing url."
    return json.dumps(refusal([(OTHER, text)])).encode()


def _verify(headers: Headers, key: ApiKey) -> None:
    """Check the signature if the key has a secret; for other keys signatures are ignored."""
    if key.signing_secret is not None:
        signatures.check(
            key=key,
            bare=_bare_key(headers),
            nonce=nonce(headers),
            signature=headers.get("x-signature"),
        )


PROFILE = Profile(
    name="wiro",
    body_limit=BODY_LIMIT,
    bare_key=_bare_key,
    envelope=_envelope,
    is_poll=lambda path: path in _POLLS,
    verify=_verify,
)
