"""The OpenAI-compatible API's gateway profile: a Bearer key, OpenAI's errors, and images in the body."""

from __future__ import annotations

from editor.compat.openai.errors import envelope
from editor.errors import EditorError
from editor.gateway.asgi import Scope
from editor.gateway.profile import Profile, bearer

IMAGES, MODELS = "/v1/images/", "/v1/models"  # prefixes of its paths
BODY_LIMIT = 128 * 1024 * 1024  # bytes, for all images and the form around them


def _last_event(scope: Scope, error: EditorError) -> bytes:
    return b"event: error\ndata: %s\n\n" % envelope(error.status, error)


PROFILE = Profile(
    name="openai",
    body_limit=BODY_LIMIT,
    bare_key=bearer,
    envelope=envelope,
    last_event=_last_event,
)
