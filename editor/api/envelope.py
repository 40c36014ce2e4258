"""The public API's answers: `{"success": true, "data": ...}` or `{"success": false, "error": "..."}`.

Source: Flokan's Image Editor API, "Errors". `code`, `fields` and `job_id` are additions of ours.
"""

from __future__ import annotations

import json
from typing import Any

from editor.errors import EditorError


def problem(error: EditorError, **more: Any) -> dict[str, Any]:
    """An error as JSON: its words for people, its word for programs, and what is wrong with which field."""
    body: dict[str, Any] = {"success": False, "error": error.message, "code": error.code}
    if error.fields:
        body["fields"] = error.fields
    return body | more


def encoded(status: int, error: EditorError) -> bytes:
    """The same as bytes, for the gate."""
    return json.dumps(problem(error)).encode()
