"""Many concurrent calls of the public API, and stops and crashes in the middle of them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import ask
from tests.e2e.api import STANDARD, open_spaces
from tests.e2e.portal import LASTING, ROOT, Portal
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE, wait_until

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}
CREDITS = 1000
SPACES: dict[str, dict[str, Any]] = {
    "sixty": {"workspace": "Sixty", "requests_per_minute": 60},
    "five": {"workspace": "Five", "credits": 5 * STANDARD + 1},
    "once": {"workspace": "Once", "credits": CREDITS},
    "gone": {"workspace": "Gone", "credits": CREDITS},
    "stopped": {"workspace": "Stopped", "credits": CREDITS},
    "killed": {"workspace": "Killed", "credits": CREDITS},
}


@pytest.fixture(scope="module")
def crowd(portals: Path) -> Iterator[Portal]:
    """A portal only for these tests, some of which stop it; it runs at the start of each."""
    folder = portals / "crowd"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def keys(crowd: Portal) -> dict[str, str]:
    return open_spaces(crowd, SPACES)


Call = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


def at_once(portal: Portal, key: str, count: int, call: Call) -> list[httpx.Response]:
    async def all_of_them() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=f"{portal.url}{BASE}", headers=headers, limits=limits, timeout=2 * PATIENCE
        ) as client:
            return list(await asyncio.gather(*(call(client, number) for number in range(count))))

    # In a separate thread: after browser tests, this one already has an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, all_of_them()).result()


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def account(portal: Portal, slug: str) -> tuple[int, int]:
    """Balance and held credits, which must equal the ledger's sums."""
    ((workspace_id, balance, held),) = portal.query(
        "SELECT workspace_id, balance, held FROM editor_creditaccount a "
        "JOIN editor_workspace w ON w.id = a.workspace_id WHERE w.slug = %s",
        slug,
    )
    sums = "SELECT sum(amount), sum(held_amount) FROM editor_ledgerentry WHERE account_id = %s"
    assert portal.query(sums, workspace_id) == [(balance, held)]
    return balance, held


def ends(portal: Portal, slug: str) -> Counter[tuple[str, str]]:
    """Status and kinds of ledger entries of the workspace's jobs, counted."""
    rows = portal.query(
        "SELECT j.status, coalesce(string_agg(e.kind, '+' ORDER BY e.id), '') FROM editor_job j "
        "JOIN editor_workspace w ON w.id = j.workspace_id LEFT JOIN editor_ledgerentry e ON e.job_id = j.id "
        "WHERE w.slug = %s GROUP BY j.id",
        slug,
    )
    return Counter(rows)


def test_of_200_concurrent_calls_the_plans_60_pass(crowd: Portal, keys: dict[str, str]) -> None:
    began = time.monotonic()
    answers = at_once(crowd, keys["sixty"], 200, lambda client, number: client.get("/jobs"))
    minutes = 1 + int((time.monotonic() - began) // 60)  # one, unless the machine is very busy
    assert statuses(answers).keys() == {200, 429}
    assert 60 <= statuses(answers)[200] <= 60 * minutes
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "60"
        assert (answer.status_code == 429) == ("retry-after" in answer.headers)
    passed = [int(a.headers["x-ratelimit-remaining"]) for a in answers if a.status_code == 200]
    assert min(passed) == 0


def test_of_40_concurrent_edits_those_run_that_can_be_paid(crowd: Portal, keys: dict[str, str]) -> None:
    answers = at_once(crowd, keys["five"], 40, lambda client, number: client.post("/process", json=EDIT))
    assert statuses(answers) == {201: 5, 402: 35}
    assert ends(crowd, "five") == {("completed", "hold+settle"): 5}
    assert account(crowd, "five") == (1, 0)


def test_20_concurrent_calls_with_one_idempotency_key_make_one_job(
    crowd: Portal, keys: dict[str, str]
) -> None:
    body = {**EDIT, "prompt": "[slow:1] a quiet harbour"}
    headers = {"idempotency-key": "order 66"}

    def call(client: httpx.AsyncClient, number: int) -> Awaitable[httpx.Response]:
        return client.post("/process", json=body, headers=headers)

    answers = at_once(crowd, keys["once"], 20, call)
    assert set(statuses(answers)) <= {201, 409}
    done = [answer for answer in answers if answer.status_code == 201]
    first = [answer for answer in done if "idempotency-replayed" not in answer.headers]
    assert len(first) == 1
    assert {answer.json()["data"]["job_id"] for answer in done} == {first[0].json()["data"]["job_id"]}
    assert ends(crowd, "once") == {("completed", "hold+settle"): 1}

    (again,) = at_once(crowd, keys["once"], 1, call)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == first[0].json()
    other = at_once(
        crowd, keys["once"], 2, lambda client, number: client.post("/process", json=EDIT, headers=headers)
    )
    assert statuses(other) == {422: 2}
    assert account(crowd, "once") == (CREDITS - STANDARD, 0)


def test_the_edit_of_a_disconnected_caller_is_settled_once(crowd: Portal, keys: dict[str, str]) -> None:
    body = json.dumps(EDIT).encode()
    head = (
        f"POST {BASE}/process HTTP/1.1\r\nHost: {urlsplit(crowd.url).netloc}\r\n"
        f"Authorization: Bearer {keys['gone']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    # One disconnects before the whole request is sent, which makes no edit.
    with socket.create_connection(("127.0.0.1", crowd.port)) as connection:
        connection.sendall(head.encode() + body[:10])
    for number in range(1, 4):
        with (
            crowd.no_new_images(),  # it does not end before its caller disconnects
            socket.create_connection(("127.0.0.1", crowd.port)) as connection,
        ):
            connection.sendall(head.encode() + body)
            wait_until(lambda number=number: sum(ends(crowd, "gone").values()) == number)  # type: ignore[misc]
    wait_until(lambda: ends(crowd, "gone") == {("completed", "hold+settle"): 3})
    assert account(crowd, "gone") == (CREDITS - 3 * STANDARD, 0)


def test_a_stop_answers_all_20_held_calls(crowd: Portal, keys: dict[str, str]) -> None:
    """The call whose edit ends meanwhile gets the edit, the others the URL of theirs."""
    held = ExitStack()
    running = "SELECT count(*) FROM editor_job WHERE percent > 0 AND status = 'processing'"

    async def call(client: httpx.AsyncClient, number: int) -> httpx.Response:
        prompt = f"{LASTING if number else ''} a quiet harbour, {number}"
        return await client.post("/process", json={**EDIT, "prompt": prompt})

    def when_the_others_run() -> None:
        wait_until(lambda: crowd.query(running) == [(19,)])
        crowd.let_the_sandbox_finish()
        held.enter_context(crowd.no_new_images())

    def stop_when_they_are_held() -> None:
        at_its_end = "SELECT 1 FROM editor_job WHERE percent = 100 AND status = 'processing'"
        wait_until(lambda: crowd.query(at_its_end) and crowd.waiting())
        assert crowd.process
        crowd.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not listens(crowd))
        held.close()  # the short edit ends

    async def one_of_them(client: httpx.AsyncClient, number: int) -> httpx.Response:
        if number == 0:
            await asyncio.to_thread(when_the_others_run)
        if number < 20:
            return await call(client, number)
        await asyncio.to_thread(stop_when_they_are_held)
        return httpx.Response(200)

    with held:
        answers = at_once(crowd, keys["stopped"], 21, one_of_them)[:20]
    assert crowd.process
    assert crowd.process.wait(PATIENCE) == 0
    assert [answer.status_code for answer in answers] == [201] + [202] * 19
    crowd.start()
    wait_until(lambda: ends(crowd, "stopped") == {("completed", "hold+settle"): 20})
    assert account(crowd, "stopped") == (CREDITS - 20 * STANDARD, 0)
    headers = {"authorization": f"Bearer {keys['stopped']}"}
    for answer in answers[1:]:
        polled = ask.get(f"{crowd.url}{answer.headers['location']}", headers=headers).json()["data"]
        assert polled["job_id"] == answer.json()["data"]["job_id"]
        assert polled["status"] == "completed"


def listens(portal: Portal) -> bool:
    try:
        socket.create_connection(("127.0.0.1", portal.port)).close()
    except ConnectionError:
        return False
    return True


@contextmanager
def worker(portal: Portal) -> Iterator[subprocess.Popen[bytes]]:
    with portal.log.open("ab") as log:
        command = [sys.executable, "manage.py", "worker"]
        process = subprocess.Popen(command, cwd=ROOT, env=portal.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)


def test_a_killed_worker_leaves_no_call_unanswered(crowd: Portal, keys: dict[str, str]) -> None:
    running = "SELECT count(*) FROM editor_job WHERE percent > 0 AND status = 'processing'"

    async def call(client: httpx.AsyncClient, number: int) -> httpx.Response:
        message = "[moderate] " if number == 0 else ""
        prompt = f"{message}{LASTING} a quiet harbour, {number}"
        return await client.post("/process", json={**EDIT, "prompt": prompt})

    async def kill_when_they_run(client: httpx.AsyncClient, number: int) -> httpx.Response:
        if number < 6:
            return await call(client, number)
        await asyncio.to_thread(wait_until, lambda: crowd.query(running) == [(6,)])
        crowd.let_the_sandbox_finish()
        first.kill()
        await asyncio.to_thread(first.wait)
        await asyncio.to_thread(second.enter_context, worker(crowd))
        return httpx.Response(200)

    crowd.stop()
    crowd.start("--no-worker")
    try:
        with ExitStack() as second, worker(crowd) as first:
            answers = at_once(crowd, keys["killed"], 7, kill_when_they_run)[:6]
    finally:
        crowd.stop()
        crowd.start()
    assert statuses(answers) == {201: 5, 422: 1}
    assert ends(crowd, "killed") == {("completed", "hold+settle"): 5, ("failed", "hold+release"): 1}
    assert account(crowd, "killed") == (CREDITS - 5 * STANDARD, 0)
    assert "resumes at" in crowd.log.read_text()
