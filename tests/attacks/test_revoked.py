"""Revoking a key and removing a member while calls are held and streams are open."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.api import open_spaces
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.factories import photo
from tests.patience import PATIENCE

EMAIL, SLUG = "amara@example.test", "acme-studio"
# So long that no call ends by itself within the test.
SLOW = "[slow:300] make it warmer"
EDIT = {"prompt": SLOW, "model_tier": "standard"}
Waits = Callable[[httpx.Client], tuple[int, str]]


@pytest.fixture(scope="module")
def portal(portals: Path) -> Iterator[Portal]:
    folder = portals / "revoked"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def spaces(portal: Portal) -> dict[str, str]:
    return open_spaces(portal, {case: {"workspace": SLUG} for case in HELD})


def _api(http: httpx.Client) -> tuple[int, str]:
    answer = http.post("/api/v1/image-editor/process", json=EDIT)
    return answer.status_code, answer.text


def _events(http: httpx.Client) -> tuple[int, str]:
    job = http.post("/api/v1/image-editor/process", json={**EDIT, "async": True}).json()["data"]
    answer = http.get(f"/api/v1/image-editor/jobs/{job['job_id']}/events")
    return answer.status_code, answer.text


def _openai(http: httpx.Client) -> tuple[int, str]:
    answer = http.post("/v1/images/generations", json={"prompt": SLOW})
    return answer.status_code, answer.text


def _openai_stream(http: httpx.Client) -> tuple[int, str]:
    answer = http.post("/v1/images/generations", json={"prompt": SLOW, "stream": True})
    return answer.status_code, answer.text


def _mcp(http: httpx.Client) -> tuple[int, str]:
    call = {"name": "edit_image", "arguments": {"prompt": SLOW, "wait_seconds": 300}}
    reported = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {**call, "_meta": {"progressToken": 1}},
    }
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    answer = http.post("/mcp", json=reported, headers=headers)
    return answer.status_code, answer.text


def last_event(text: str) -> tuple[str, Any]:
    """The name and data of the last event."""
    event = text.replace("\r\n", "\n").strip().split("\n\n")[-1]
    fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
    return fields.get("event", ""), json.loads(fields["data"])


def _check_api(status: int, text: str) -> None:
    assert status == 401, text
    assert json.loads(text)["code"] == "not_authenticated"
    assert "revoked" in json.loads(text)["error"]


def _check_events(status: int, text: str) -> None:
    name, data = last_event(text)
    assert (status, name, data["success"], data["code"]) == (200, "error", False, "not_authenticated")


def _check_openai(status: int, text: str) -> None:
    assert status == 401, text
    assert "revoked" in json.loads(text)["error"]["message"]


def _check_openai_stream(status: int, text: str) -> None:
    name, data = last_event(text)
    assert (status, name) == (200, "error")
    assert "revoked" in data["error"]["message"]


def _check_mcp(status: int, text: str) -> None:
    _, data = last_event(text)
    assert (status, data["id"], data["error"]["data"]["code"]) == (200, 7, "not_authenticated"), text


HELD: dict[str, tuple[Waits, Callable[[int, str], None]]] = {
    "api": (_api, _check_api),
    "events": (_events, _check_events),
    "openai": (_openai, _check_openai),
    "openai_stream": (_openai_stream, _check_openai_stream),
    "mcp": (_mcp, _check_mcp),
}


def client(portal: Portal, key: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {key}", "x-api-key": key}
    return httpx.Client(base_url=portal.url, headers=headers, timeout=PATIENCE)


def until_running(portal: Portal, count: int, *, slug: str = SLUG) -> list[str]:
    """Wait until `count` of the workspace's jobs are running and return their ids."""
    for _ in range(600):
        rows = portal.query(
            "SELECT j.id::text FROM editor_job j JOIN editor_workspace w ON w.id = workspace_id "
            "WHERE status = 'processing' AND slug = %s ORDER BY j.created_at",
            slug,
        )
        if len(rows) == count:
            return [row[0] for row in rows]
        time.sleep(0.1)
    raise AssertionError(portal.query("SELECT id, status, stage FROM editor_job"))


def test_calls_and_streams_of_a_revoked_key_end_with_an_error_and_their_jobs_go_on(
    portal: Portal, spaces: dict[str, str]
) -> None:
    answers: dict[str, tuple[int, str]] = {}

    def hold(case: str) -> None:
        with client(portal, spaces[case]) as http:
            answers[case] = HELD[case][0](http)

    threads = [threading.Thread(target=hold, args=[case], daemon=True) for case in HELD]
    for thread in threads:
        thread.start()
    jobs = until_running(portal, len(HELD))
    owner = Client(portal, email=EMAIL, slug=SLUG)
    for (key,) in portal.query(
        "SELECT k.id::text FROM editor_apikey k JOIN editor_workspace w ON w.id = workspace_id "
        "WHERE slug = %s",
        SLUG,
    ):
        revoked = owner.post(f"/w/{SLUG}/settings/api-keys/{key}/revoke/")
        assert revoked.status_code == 302, revoked.text
    for thread in threads:
        thread.join(PATIENCE)
    assert set(answers) == set(HELD)
    for case, (_, check) in HELD.items():
        check(*answers[case])
    assert until_running(portal, len(HELD)) == jobs, "they go on"
    for job in jobs:
        assert owner.post(f"/w/{SLUG}/jobs/{job}/cancel/").status_code == 302
    owner.http.close()
    until_running(portal, 0)
    assert portal.query(
        "SELECT held FROM editor_creditaccount JOIN editor_workspace w ON w.id = workspace_id "
        "WHERE slug = %s",
        SLUG,
    ) == [(0,)]
    assert "Traceback" not in portal.log.read_text()


def test_the_socket_of_a_task_ends_with_the_membership_of_its_creator(portal: Portal) -> None:
    key = open_spaces(portal, {"left": {"workspace": "Other", "email": "noor@example.test"}})["left"]
    with client(portal, key) as http:
        files = {"inputImage": ("a.png", photo(), "image/png")}
        task = http.post(
            "/v1/Run/black-forest-labs/flux-kontext-pro", data={"prompt": SLOW}, files=files
        ).json()
        assert task["result"], task
        with connect(
            f"{portal.url.replace('http', 'ws')}/v1", proxy=None, open_timeout=PATIENCE, ping_interval=None
        ) as socket:
            socket.send(json.dumps({"type": "task_info", "tasktoken": task["socketaccesstoken"]}))
            until_running(portal, 1, slug="other")
            # In the database, without an event: it is noticed all the same.
            portal.query(
                "DELETE FROM editor_membership WHERE workspace_id = "
                "(SELECT id FROM editor_workspace WHERE slug = 'other') RETURNING id"
            )
            frames: list[Any] = []
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    frames.append(json.loads(socket.recv(timeout=PATIENCE)))
        assert frames[-1] == {"type": "error", "message": "tasktoken-ended", "result": False}
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert http.post("/v1/Task/Detail", json={"taskid": task["taskid"]}).status_code == 401
