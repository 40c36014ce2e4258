"""The BFL-compatible API's gateway profile: the key is in x-key, and polling URLs are signed."""

from __future__ import annotations

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from editor.compat.bfl import errors, polling
from editor.gateway.asgi import Scope
from editor.gateway.profile import Headers, Profile
from editor.operations.key_text import PREFIX

PATH = "/v1/"
POLLING = PATH + "get_result"
BODY_LIMIT = 64 * 1024 * 1024  # bytes: three of the largest images in base64, or eight of 6 MB


def _bare_key(headers: Headers) -> str:
    key = headers.get("x-key").strip()
    if not key:
        raise errors.NoKey("The x-key header is missing.")
    if not key.startswith(PREFIX):
        raise errors.NoKeyFormat(f"A key starts with {PREFIX}.")
    return key


def _signed_subject(scope: Scope, headers: Headers) -> str:
    """The task, if the URL is signed. A request that also has a key is counted by its key."""
    if scope["path"] != POLLING or headers.get("x-key"):
        return ""
    try:
        query = QueryDict(scope["query_string"])  # as the view reads it: the last of repeated fields
    except SuspiciousOperation:  # far too many fields
        return ""
    task, signature = query.get("id", ""), query.get(polling.SIGNATURE, "")
    return task if polling.verify(task, signature) else ""


PROFILE = Profile(
    name="bfl",
    body_limit=BODY_LIMIT,
    bare_key=_bare_key,
    envelope=errors.envelope,
    is_poll=lambda path: path == POLLING,
    status=errors.status,
    signed_subject=_signed_subject,
)
