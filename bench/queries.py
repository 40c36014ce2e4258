"""Number and duration of the database queries of requests.

To inspect one page, run in a portal's environment:
python manage.py shell -c "from bench.queries import explain; explain('/w/acme-studio/gallery/')"
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.portal import HTMX, OWNER
from editor.models import User


def main() -> None:
    """Print, as JSON, the number of queries of each request listed on standard input.

    A request is {"method", "path", "data", "htmx"}; each is made twice, and the second counts.
    """
    client = _client(OWNER)
    counts = []
    for ask in json.load(sys.stdin):
        _send(client, **ask)
        with CaptureQueriesContext(connection) as captured:
            _send(client, **ask)
        counts.append(len(captured))
    sys.stdout.write(json.dumps(counts))


def explain(path: str, *, email: str = OWNER, htmx: bool = False) -> None:
    """Print each query of a GET with its milliseconds, then the plan of the slowest."""
    client = _client(email)
    _send(client, path=path, htmx=htmx)
    with CaptureQueriesContext(connection) as captured:
        response = _send(client, path=path, htmx=htmx)
    sys.stdout.write(f"{response.status_code}, {len(captured)} queries\n")
    for query in captured.captured_queries:
        sys.stdout.write(f"{float(query['time']) * 1000:7.1f} ms  {query['sql'][:300]}\n")
    slowest = max(captured.captured_queries, key=lambda query: float(query["time"]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {slowest['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    sys.stdout.write(f"\n{slowest['sql']}\n\n{plan}\n")


def _client(email: str) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(email=email))
    return client


def _send(
    client: Client, *, path: str, method: str = "GET", data: dict[str, str] | None = None, htmx: bool = False
) -> Any:
    send = client.post if method == "POST" else client.get
    return send(path, data or {}, headers=HTMX if htmx else {})
