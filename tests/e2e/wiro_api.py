"""A portal for Wiro's clients, with keys of both kinds."""

from __future__ import annotations

import json
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.e2e.portal import Portal
from tests.e2e.wiro_samples import Shell
from tests.patience import PATIENCE, wait_until

STATES = (
    "task_queue task_accept task_assign task_preprocess_start task_preprocess_end task_start task_output "
    "task_end task_postprocess_start task_postprocess_end"
).split()
EMAIL = "amara@example.test"


class Profile:
    """A portal with the Wiro-compatible API, and the keys of one workspace."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        portal.bootstrap(
            email=EMAIL,
            workspace="Acme Studio",
            credits=5_000,
            api_key_file=str(portal.folder / "key"),
            wiro_key_file=str(portal.folder / "wiro.json"),
            requests_per_minute="100000",
        )
        self.key = (portal.folder / "key").read_text().strip()
        self.signed: dict[str, str] = json.loads((portal.folder / "wiro.json").read_text())
        self.shell = Shell(portal.url, key=self.signed["api_key"], secret=self.signed["api_secret"])
        self.http = httpx.Client(
            base_url=f"{portal.url}/v1/", headers={"x-api-key": self.key}, timeout=PATIENCE
        )
        self._nonce = 0

    def ask(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(path, json=fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, task_id: str) -> dict[str, Any]:
        """Wait until the task has ended and return it."""
        return self.comes_to(task_id, "task_postprocess_end", "task_cancel")

    def comes_to(self, task_id: str, *states: str) -> dict[str, Any]:
        """Wait until the task is in one of these states and return it."""

        def look() -> dict[str, Any] | None:
            (task,) = self.ask("Task/Detail", taskid=task_id)["tasklist"]
            return dict(task) if task["status"] in states else None

        task = wait_until(look, otherwise=lambda: self.ask("Task/Detail", taskid=task_id))
        assert task is not None
        return task

    def listen(self) -> ClientConnection:
        return connect(f"{self.portal.url.replace('http', 'ws', 1)}/ws/v1", proxy=None)
