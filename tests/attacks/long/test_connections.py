"""A minute of silent connections, more than descriptors: paid results are stored all the same."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.strangers import HALF, Crowd, descriptors, is_healthy, many_files, megabytes, wait_for
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.emulators.bfl import Bfl

log = logging.getLogger("attacks")

CROWD = 1100
WORKING = (4, 8, 16)  # seconds that the provider takes for each edit
PAUSE = 0.5  # seconds between the crowd's attempts to reconnect
PRESSING = 60  # seconds that the crowd stays


@pytest.fixture
def bfl() -> Iterator[Bfl]:
    with Bfl() as emulator:
        yield emulator


@pytest.mark.parametrize("limits", ["ulimit -Sn 1024", "ulimit -n 1024"], ids=["soft", "hard"])
def test_paid_results_are_stored_while_strangers_hold_connections(
    portals: Path, bfl: Bfl, limits: str, request: pytest.FixtureRequest
) -> None:
    folder = portals / f"crowd-{request.node.callspec.id}"
    folder.mkdir()
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", **bfl.environment())
    portal.limits = limits
    request.addfinalizer(portal.remove)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    person = Client(portal, email="amara@example.test", slug="acme-studio")
    request.addfinalizer(person.http.close)
    page = person.studio()
    for number, seconds in enumerate(WORKING, start=1):
        bfl.seconds = seconds
        model = "black-forest-labs/flux-kontext-pro"
        assert person.run("a quiet harbour", page=page, model=model).status_code == 302
        wait_for(partial(_has_tasks, bfl, number), portal)
    healthy: list[bool] = []
    most, memory = 0, 0
    with (
        many_files(),
        Crowd(portal, count=CROWD // 2) as silent,
        Crowd(portal, count=CROWD // 2, message=HALF) as half,
    ):
        until = time.monotonic() + PRESSING
        while time.monotonic() < until:
            silent.press()
            half.press()
            healthy.append(is_healthy(portal))
            time.sleep(PAUSE)
            most, memory = max(most, descriptors(portal)), max(memory, megabytes(portal))
    began = time.monotonic()
    wait_for(lambda: is_healthy(portal), portal)
    log.info(
        "%s limit: %s descriptors, %s MB, %s of %s answered, %s closed, then well after %.1f s",
        request.node.callspec.id,
        most,
        memory,
        sum(healthy),
        len(healthy),
        silent.closed + half.closed,
        time.monotonic() - began,
    )
    sql = "SELECT count(*) FROM editor_job WHERE status IN ('pending', 'processing')"
    wait_for(lambda: portal.query(sql) == [(0,)], portal)
    ends = portal.query("SELECT status, error_code FROM editor_job")
    assert ends == [("completed", "")] * len(WORKING)
    assert len(bfl.tasks) == len(WORKING)
    assert all(healthy)


def _has_tasks(bfl: Bfl, number: int) -> bool:
    return len(bfl.tasks) == number
