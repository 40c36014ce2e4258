"""The public API's gateway profile: a Bearer key and the envelope."""

from __future__ import annotations

from editor.api import envelope
from editor.errors import EditorError
from editor.gateway.asgi import Scope
from editor.gateway.profile import Profile, bearer

PATH = "/api/v1/image-editor/"
OPEN = {PATH + "openapi.json"}
BODY_LIMIT = 256 * 1024  # bytes; prompts and ids, never images


def _last_event(scope: Scope, error: EditorError) -> bytes:
    return b"event: error\ndata: %s\n\n" % envelope.encoded(error.status, error)


PROFILE = Profile(
    name="api",
    body_limit=BODY_LIMIT,
    bare_key=bearer,
    envelope=envelope.encoded,
    is_open=lambda path: path in OPEN,
    last_event=_last_event,
)
