"""SIGKILL of the portal and of its database: each job ends, submitted once, with correct credits."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.e2e.client import Client
from tests.e2e.portal import LASTING, Portal
from tests.patience import wait_until

PRICE = 4


@pytest.fixture
def client(portal: Portal) -> Iterator[Client]:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    client = Client(portal, email="amara@example.test", slug="acme-studio")
    yield client
    client.http.close()


def wait_for(portal: Portal, sql: str, expected: object) -> None:
    wait_until(
        lambda: rows(portal, sql) == expected,
        otherwise=lambda: f"{sql}: {rows(portal, sql)}, not {expected}",
    )


def begin(portal: Portal, client: Client, *, lasting: str = LASTING) -> None:
    """Start an edit that is in the middle of its run and finishes as soon as it is resumed."""
    assert client.run(f"{lasting} a quiet harbour at dawn").status_code == 302
    wait_for(portal, "SELECT count(*) FROM editor_job WHERE percent > 0", [(1,)])
    portal.let_the_sandbox_finish()


def rows(portal: Portal, sql: str) -> object:
    """The rows of a query, or the error while the database is down."""
    try:
        return portal.query(sql)
    except (psycopg.OperationalError, OSError, IndexError) as error:
        return error  # the last: its server is just writing where it listens


def assert_ended_once(portal: Portal, *, jobs: int) -> None:
    """All jobs completed, each submitted once; the ledger equals the account and the credits spent."""
    wait_for(portal, "SELECT status, count(*) FROM editor_job GROUP BY 1", [("completed", jobs)])
    assert portal.times_submitted() == jobs
    assert portal.query("SELECT sum(amount), sum(held_amount) FROM editor_ledgerentry") == [
        (100 - PRICE * jobs, 0)
    ]
    assert portal.query("SELECT balance, held FROM editor_creditaccount") == [(100 - PRICE * jobs, 0)]
    assert portal.query("SELECT count(*) FROM editor_image WHERE kind = 'result'") == [(jobs,)]


def test_a_job_survives_a_kill_of_the_portal_during_its_run(portal: Portal, client: Client) -> None:
    begin(portal, client)
    portal.kill()  # the database stays up
    assert portal.query("SELECT status FROM editor_job") == [("processing",)]
    portal.start()
    assert_ended_once(portal, jobs=1)
    assert "resumes at task_output" in portal.log.read_text()


def test_a_waiting_job_survives_a_kill_of_the_portal(portal: Portal, client: Client) -> None:
    page = client.studio()
    portal.stop()
    portal.start("--no-worker")
    assert client.run("a quiet harbour at dawn", page=page).status_code == 302
    portal.kill()
    assert portal.query("SELECT status, stage FROM editor_job") == [("pending", "task_queue")]
    portal.start()
    assert_ended_once(portal, jobs=1)


def test_a_job_survives_a_kill_of_the_database_during_its_run(portal: Portal, client: Client) -> None:
    # The edit may go on without noticing.
    begin(portal, client, lasting="[slow:60]")
    portal.kill_postgres()
    assert_ended_once(portal, jobs=1)


def test_a_job_survives_a_kill_of_the_database_and_a_restart(portal: Portal, client: Client) -> None:
    begin(portal, client)
    portal.kill_postgres()
    portal.kill()
    portal.start()
    assert_ended_once(portal, jobs=1)


def test_a_job_goes_on_after_a_clean_stop_and_a_start(portal: Portal, client: Client) -> None:
    begin(portal, client)
    assert portal.stop() == 0
    portal.start()
    assert_ended_once(portal, jobs=1)
