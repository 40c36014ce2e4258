"""Shared by tests of the public API: a portal with workspaces and keys, and images to fetch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.e2e.client import Client
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.seed_client import SeedClient
from tests.emulators.base import Emulator
from tests.factories import photo
from tests.net.fetching import Authority

EMAIL = "amara@example.test"
STANDARD = 4  # credits of an edit in that tier
PICTURE = photo(colour="teal")

# Options of `bootstrap` by the name of the key. Keys of one workspace differ in their scopes.
SPACES: dict[str, dict[str, Any]] = {
    "acme": {"workspace": "Acme Studio"},
    "reader": {"workspace": "Acme Studio", "scopes": "image_editor:read"},
    "writer": {"workspace": "Acme Studio", "scopes": "image_editor:write"},
    "other": {"workspace": "Other"},
    "poor": {"workspace": "Poor", "credits": STANDARD - 1},
    "slow": {"workspace": "Slow", "requests_per_minute": 3},
    "busy": {"workspace": "Busy", "concurrent_jobs": 1},
    "fresh": {"workspace": "Fresh"},
    "counted": {"workspace": "Counted", "requests_per_minute": 50},
    "barred": {"workspace": "Barred"},
    "plain": {"workspace": "Plain"},
    "listed": {"workspace": "Listed"},
    "fuzz": {"workspace": "Fuzz", "concurrent_jobs": 100_000},
}
_USUAL = {"email": EMAIL, "password": PASSWORD, "credits": 100_000, "requests_per_minute": 100_000}
_MAKE = """
import json, pathlib
from django.core.management import call_command
for name, options in json.loads({!r}).items():
    call_command("bootstrap", api_key_file=pathlib.Path({!r}, name), **options)
"""


def open_spaces(portal: Portal, spaces: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Create workspaces with a key each, as `bootstrap` does, in one go, and return the keys by name."""
    folder = portal.folder / "keys"
    reported = json.dumps({name: {**_USUAL, **options} for name, options in spaces.items()})
    portal.manage("shell", "--no-imports", "-c", _MAKE.format(reported, str(folder)))
    return {name: (folder / name).read_text().strip() for name in spaces}


class Api:
    """A portal that can call providers and fetch images on this machine.

    keys      by the names in SPACES
    pictures  the URL below which PICTURE is served over https
    """

    def __init__(self, portal: Portal, emulators: dict[str, Emulator], pictures: str) -> None:
        self.portal = portal
        self.emulators = emulators
        self.pictures = pictures
        self.keys = open_spaces(portal, SPACES)
        self._clients: dict[str, SeedClient] = {}
        portal.query(
            "UPDATE editor_membership SET access_image_editor = false WHERE workspace_id = "
            "(SELECT id FROM editor_workspace WHERE slug = 'barred') RETURNING id"
        )
        # A fuzzer announces more files than any quota allows.
        portal.query("UPDATE editor_plan SET storage_bytes = NULL RETURNING id")
        self._bring_keys()

    def _bring_keys(self) -> None:
        """Save the provider keys of Acme Studio on its settings page."""
        owner = Client(self.portal, email=EMAIL, slug="acme-studio")
        for name, emulator in self.emulators.items():
            saved = owner.post(f"/w/acme-studio/settings/providers/{name}/", key=emulator.key)
            assert saved.status_code == 302, saved.text
        owner.http.close()

    def client(self, name: str = "acme") -> SeedClient:
        """The client that was written from the document alone, with this key."""
        if name not in self._clients:
            self._clients[name] = SeedClient(self.portal.url, self.keys[name])
        return self._clients[name]

    def http(self, name: str = "acme") -> httpx.Client:
        """A plain HTTP client with this key, for calls that the document does not have."""
        return self.client(name).http

    def close(self) -> None:
        for client in self._clients.values():
            client.http.close()

    def ledger(self, job_id: str) -> list[tuple[Any, ...]]:
        """Kind and changes of balance and held credits of each of the job's ledger entries, in order."""
        return self.portal.query(
            "SELECT kind, amount, held_amount FROM editor_ledgerentry WHERE job_id = %s ORDER BY id", job_id
        )


@contextmanager
def pictures_server(authority: Authority) -> Iterator[str]:
    """Serve PICTURE over https at any URL below the returned one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", str(len(PICTURE)))
            self.end_headers()
            self.wfile.write(PICTURE)

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.server("127.0.0.1").wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
