"""The public API's responses: `{"success": true, "data": ...}` or `{"success": false, "error": "..."}`.

Source: Flokan's Image Editor API, "Errors". All but `error` are our additions.
"""

from __future__ import annotations

import json
from typing import Any

from editor.errors import EditorError


def problem(error: EditorError, **more: Any) -> dict[str, Any]:
    """An error as JSON: message, code, further members and, if any, the problem of each field."""
    body: dict[str, Any] = {"success": False, "error": error.message, "code": error.code}
    if error.fields:
        body["fields"] = error.fields
    return body | error.more | more


def encoded(status: int, error: EditorError) -> bytes:
    """The same as bytes, for the gateway middleware."""
    return json.dumps(problem(error)).encode()
