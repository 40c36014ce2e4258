"""What is particular to clients of BFL's API: their key is in x-key, and they poll a signed address."""

from __future__ import annotations

from urllib.parse import parse_qs

from editor.compat.bfl import errors, polling
from editor.gate.door import Door, Headers, Scope
from editor.operations.api_keys import PREFIX

PATH = "/v1/"
POLLING = PATH + "get_result"
BODY_LIMIT = 64 * 1024 * 1024  # bytes: three of the largest images in base64, or eight of 6 MB


def _bare_key(headers: Headers) -> str:
    key = headers.get("x-key").strip()
    if not key:
        raise errors.NoKey("There is no x-key.")
    if not key.startswith(PREFIX):
        raise errors.NoKeyFormat(f"A key begins with {PREFIX}.")
    return key


def _pass_name(scope: Scope, headers: Headers) -> str:
    """The task, if the address is signed. Whoever sends a key all the same is counted by that."""
    if scope["path"] != POLLING or headers.get("x-key"):
        return ""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=100)
    except ValueError:
        return ""
    task, signature = (query.get(name, [""])[-1] for name in ("id", polling.SIGNATURE))
    return task if polling.verify(task, signature) else ""


DOOR = Door(
    name="bfl",
    body_limit=BODY_LIMIT,
    bare_key=_bare_key,
    envelope=errors.envelope,
    is_poll=lambda path: path == POLLING,
    status=errors.status,
    pass_name=_pass_name,
)
