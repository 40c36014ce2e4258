"""The life cycle of the embedded server: start, join, leave, kill."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from imageeditor.postgres import cluster, launcher
from imageeditor.postgres.errors import EmbeddedPostgresError
from tests.embedded_postgres.support import USER, User, connect, kill_server, query, server_pid
from tests.patience import PATIENCE
from tests.scarce import no_descriptors


def test_the_first_start_creates_a_durable_database_private_to_its_user(new_data_dir: Path) -> None:
    info = launcher.ensure_running(new_data_dir)

    assert query(info, "SELECT current_database()") == "portal"
    assert query(info, "SHOW server_encoding") == "UTF8"
    assert query(info, "SELECT upper('ä')") == "Ä"
    assert query(info, "SHOW listen_addresses") == ""
    assert query(info, "SHOW fsync") == "on"
    assert stat.S_IMODE(Path(info.host).stat().st_mode) == 0o700
    assert stat.S_IMODE((new_data_dir / "postgres").stat().st_mode) == 0o700


def test_processes_that_start_together_share_one_server(
    new_data_dir: Path, users: Callable[[], User]
) -> None:
    first, second = users(), users()
    first.wait_until_ready()
    second.wait_until_ready()
    log = (new_data_dir / "postgres.log").read_text()

    assert log.count("ready to accept connections") == 1


def test_the_last_process_to_leave_stops_the_server(data_dir: Path, users: Callable[[], User]) -> None:
    first, second = users(), users()
    first.wait_until_ready()
    second.wait_until_ready()
    pid = server_pid(data_dir)

    first.leave()
    assert server_pid(data_dir) == pid is not None
    second.leave()
    assert server_pid(data_dir) is None
    assert cluster.command_of(str(pid)) == []


def test_a_killed_process_leaves_the_server_running_for_the_next_one(
    data_dir: Path, users: Callable[[], User]
) -> None:
    user = users()
    user.wait_until_ready()
    pid = server_pid(data_dir)
    user.kill()

    launcher.ensure_running(data_dir)

    assert server_pid(data_dir) == pid is not None
    launcher.release(data_dir)
    assert server_pid(data_dir) is None


def test_a_forked_child_neither_stops_the_server_nor_keeps_it_running(data_dir: Path) -> None:
    code = USER.replace("print(", "import os\nif os.fork() == 0:\n    sys.exit()\nos.wait()\nprint(")
    user = User(data_dir, code)
    user.wait_until_ready()

    assert server_pid(data_dir) is not None
    user.leave()
    assert server_pid(data_dir) is None


def test_a_killed_server_is_restarted_with_all_committed_data(data_dir: Path) -> None:
    info = launcher.ensure_running(data_dir)
    with connect(info) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    kill_server(data_dir)

    assert query(launcher.ensure_running(data_dir), "SELECT number FROM kept") == "7"


async def test_supervise_restarts_a_killed_server(data_dir: Path) -> None:
    launcher.ensure_running(data_dir)
    keeper = asyncio.create_task(launcher.supervise(data_dir, every=0.05))
    try:
        kill_server(data_dir)
        async with asyncio.timeout(PATIENCE):
            while not cluster.accepts_connections(data_dir / "postgres"):
                await asyncio.sleep(0.05)
    finally:
        keeper.cancel()


async def test_supervise_survives_a_lack_of_descriptors(data_dir: Path) -> None:
    launcher.ensure_running(data_dir)
    keeper = asyncio.create_task(launcher.supervise(data_dir, every=0.05))
    try:
        pid = server_pid(data_dir)
        assert pid
        with no_descriptors():
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)  # about ten checks meanwhile, which all fail
            assert not keeper.done()
        async with asyncio.timeout(60):
            while not cluster.accepts_connections(data_dir / "postgres"):
                await asyncio.sleep(0.05)
        assert not keeper.done()
    finally:
        keeper.cancel()


def test_lock_files_with_the_process_id_of_another_process_do_not_prevent_a_start(data_dir: Path) -> None:
    info = launcher.ensure_running(data_dir)
    lock = (data_dir / "postgres/postmaster.pid").read_text()
    kill_server(data_dir)
    taken = lock.replace(lock.splitlines()[0], str(os.getpid()), 1)
    (data_dir / "postgres/postmaster.pid").write_text(taken)
    Path(info.host, ".s.PGSQL.5432.lock").write_text(taken)

    assert query(launcher.ensure_running(data_dir), "SELECT 1") == "1"


def test_an_incomplete_database_is_created_anew(new_data_dir: Path) -> None:
    (new_data_dir / "postgres.new").mkdir(parents=True)
    (new_data_dir / "postgres.new/PG_VERSION").write_text("18\n")

    assert query(launcher.ensure_running(new_data_dir), "SELECT 1") == "1"
    assert not (new_data_dir / "postgres.new").exists()


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher.ensure_running(data_dir)
    launcher.release(data_dir)
    with (data_dir / "postgres/postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    monkeypatch.setattr(launcher, "_RETRY_SECONDS", 0.0)

    with pytest.raises(EmbeddedPostgresError, match=r"(?s)does not start.*no_such_setting"):
        launcher.ensure_running(data_dir)
