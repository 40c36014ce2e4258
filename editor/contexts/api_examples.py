"""Example API calls: with curl, and in Python with httpx."""

from __future__ import annotations

import json
import shlex
from typing import Any

KEY = "ATELIER_KEY"  # the environment variable that holds the caller's key
PATIENCE = 310  # client timeout, in seconds, for a response that is held back


def curl(*, verb: str, url: str, body: Any = None, streamed: bool = False) -> str:
    """A shell command. body is sent as JSON; streamed: print the response as it arrives."""
    lines = [f'curl {"-N " if streamed else ""}"{url}"', f'-H "Authorization: Bearer ${KEY}"']
    if body is not None:
        lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(pretty(body))}"]
    elif verb != "GET":
        lines[0] = f'curl -X {verb} "{url}"'
    return " \\\n  ".join(lines)


def python(*, verb: str, url: str, body: Any = None, streamed: bool = False, held: bool = False) -> str:
    """A Python program. held: the response may take minutes."""
    called = f'httpx.stream(\n    "{verb}",' if streamed else f"httpx.{verb.lower()}("
    lines = [f'    "{url}",', f'    headers={{"Authorization": f"Bearer {{os.environ[\'{KEY}\']}}"}},']
    if body is not None:
        lines += [
            "    json={",
            *(f"        {_literal(name)}: {_literal(value)}," for name, value in body.items()),
            "    },",
        ]
    if streamed:
        lines.append("    timeout=None,")
    elif held:
        lines.append(f"    timeout={PATIENCE},")
    call = "\n".join([called, *lines])
    if streamed:
        rest = f"with {call}\n) as response:\n    for line in response.iter_lines():\n        print(line)"
    else:
        rest = f"response = {call}\n)\nresponse.raise_for_status()\nprint(response.json())"
    return f"import os\n\nimport httpx\n\n{rest}"


def pretty(value: Any) -> str:
    """Indented JSON; strings are returned unchanged."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
