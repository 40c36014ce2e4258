"""What is particular to the public API's clients: a Bearer key, and the envelope."""

from __future__ import annotations

from editor.api import envelope
from editor.gate.door import Door, bearer

PATH = "/api/v1/image-editor/"
OPEN = {PATH + "openapi.json"}
BODY_LIMIT = 256 * 1024  # bytes; prompts and ids, never images


DOOR = Door(
    name="api",
    body_limit=BODY_LIMIT,
    bare_key=bearer,
    envelope=envelope.encoded,
    is_open=lambda path: path in OPEN,
)
