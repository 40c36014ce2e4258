"""A portal of two processes whose Redis goes down or hangs: users notice little and lose nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.e2e.api import open_spaces
from tests.e2e.client import Client
from tests.e2e.portal import ROOT, Portal
from tests.e2e.seed_client import SeedClient
from tests.patience import PATIENCE
from tests.redis_server import RedisServer, redis_server

EMAIL, SLUG = "amara@example.test", "acme-studio"
DELAYED = "Live updates are delayed"
# How Redis fails, and how it comes back.
CASES = {
    "down": (RedisServer.stop, RedisServer.start),
    "hanging": (RedisServer.hang, RedisServer.go_on),
}
ON_TIME = '<hx-partial hx-target="#delayed" hx-swap="innerMorph"></hx-partial>'


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def portal(portals: Path, redis: RedisServer) -> Iterator[Portal]:
    """A portal with one process for requests and one worker."""
    folder = portals / "redis"
    folder.mkdir()
    portal = Portal(folder, REDIS_URL=redis.url)
    portal.start("--no-worker")
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=ROOT,
            env=portal.environment,
            stdout=log,
            stderr=log,
        )
    yield portal
    worker.terminate()
    worker.wait()
    portal.remove()


@pytest.fixture(scope="module")
def keys(portal: Portal) -> dict[str, str]:
    """Keys of the user's workspace, and of one with few requests per minute for each case."""
    few = {name: {"workspace": name, "requests_per_minute": 5} for name in CASES}
    return open_spaces(portal, {"acme": {"workspace": "Acme Studio"}, **few})


@pytest.fixture
def people(portal: Portal, keys: dict[str, str]) -> Iterator[Callable[[], Client]]:
    """A function that signs the user in anew."""
    with ExitStack() as stack:

        def sign_in() -> Client:
            person = Client(portal, email=EMAIL, slug=SLUG)
            stack.callback(person.http.close)
            return person

        yield sign_in


def listen(portal: Portal, person: Client) -> ClientConnection:
    cookies = "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())
    return connect(
        f"{portal.url.replace('http', 'ws')}/ws/w/{SLUG}/?since=0",
        origin=Origin(portal.url),
        additional_headers={"Cookie": cookies},
        open_timeout=PATIENCE,
        proxy=None,
    )


def until(page: ClientConnection, message: str) -> str:
    while message not in (text := str(page.recv(timeout=PATIENCE))):
        pass
    return text


@pytest.mark.parametrize("case", CASES)
def test_without_redis_pages_and_apis_work_and_pages_show_edits_of_the_worker(
    portal: Portal, keys: dict[str, str], redis: RedisServer, people: Callable[[], Client], case: str
) -> None:
    before = people()
    warnings = portal.log.read_text().count("Redis does not respond")
    with listen(portal, before) as page:
        assert DELAYED not in str(page.recv(timeout=PATIENCE))
        before.run("[slow:1] make it warmer")
        until(page, "Edit ready")  # an event of the worker arrives
        hurt, mend = CASES[case]
        hurt(redis)

        person = people()
        reset = person.http.get("/accounts/password/reset/")
        assert person._post("/accounts/password/reset/", reset.text, {"email": EMAIL}).status_code == 302
        with listen(portal, person) as other:
            until(other, DELAYED)
        until(page, DELAYED)

        with SeedClient(portal.url, keys[case]).http as api:
            statuses = [api.get("jobs").status_code for _ in range(7)]
        assert statuses[0] == 200
        assert statuses[-1] == 429, "limits hold in this process"
        assert {*statuses} == {200, 429}

        assert person.run("[slow:1] make it colder").status_code == 302
        until(page, "Edit ready")  # an edit of the worker, which could not publish it
        mend(redis)
        until(page, ON_TIME)
        person.run("[slow:1] make it brighter")
        until(page, "Edit ready")
    log = portal.log.read_text()
    assert "Traceback" not in log
    assert log.count("Redis does not respond") == warnings + 1
    assert "Traceback" not in (portal.folder / "worker.log").read_text()
