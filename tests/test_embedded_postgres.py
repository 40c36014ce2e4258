"""The embedded PostgreSQL: started, joined, left, killed, refused. Needs no Django database."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from imageeditor.postgres import cluster, launcher, places
from imageeditor.postgres.errors import EmbeddedPostgresError

ROOT = Path(__file__).resolve().parents[1]

# A process that uses the server until it is told to end or is killed.
USER = """
import sys
from pathlib import Path
from imageeditor.postgres import launcher
launcher.ensure_running(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


class User:
    """Another process that uses the server."""

    def __init__(self, data_dir: Path, code: str = USER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def leave(self) -> None:
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that any account can walk to, which pytest's own folders are not."""
    parent = Path(tempfile.mkdtemp(prefix="portal-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    launcher.release()
    shutil.rmtree(parent)


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with folder() as path:
        yield path


@pytest.fixture(scope="module")
def made_data_dir() -> Iterator[Path]:
    with folder() as path:
        launcher.ensure_running(path)
        launcher.release()
        with (path / "postgres/postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")  # quicker; these tests cut no power
        yield path


@pytest.fixture
def data_dir(made_data_dir: Path, new_data_dir: Path) -> Path:
    """A data folder with an empty database, stopped; copied, because making one takes longer."""
    subprocess.check_call(["cp", "-a", made_data_dir, new_data_dir])
    return new_data_dir


@pytest.fixture
def users(new_data_dir: Path) -> Iterator[Callable[[], User]]:
    started: list[User] = []

    def start() -> User:
        started.append(User(new_data_dir))
        return started[-1]

    yield start
    for user in started:
        if user.process.poll() is None:
            user.leave()


def server_pid(data_dir: Path) -> int | None:
    return cluster.postmaster_pid(data_dir / "postgres")


def kill_server(data_dir: Path) -> None:
    pid = server_pid(data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server_pid(data_dir) is not None:
        time.sleep(0.01)


def connect(info: cluster.ConnectionInfo) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname)


def query(info: cluster.ConnectionInfo, statement: LiteralString) -> str:
    with connect(info) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def test_first_start_makes_a_durable_database_that_only_its_own_user_can_reach(new_data_dir: Path) -> None:
    info = launcher.ensure_running(new_data_dir)

    assert query(info, "SELECT current_database()") == "portal"
    assert query(info, "SHOW server_encoding") == "UTF8"
    assert query(info, "SELECT upper('ä')") == "Ä"
    assert query(info, "SHOW listen_addresses") == ""
    assert query(info, "SHOW fsync") == "on"
    assert stat.S_IMODE(Path(info.host).stat().st_mode) == 0o700
    assert stat.S_IMODE((new_data_dir / "postgres").stat().st_mode) == 0o700


def test_processes_that_start_at_once_share_one_server(new_data_dir: Path, users: Callable[[], User]) -> None:
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


def test_a_killed_process_leaves_the_server_up_and_the_next_one_joins_it(
    data_dir: Path, users: Callable[[], User]
) -> None:
    user = users()
    user.wait_until_ready()
    pid = server_pid(data_dir)
    user.kill()

    launcher.ensure_running(data_dir)

    assert server_pid(data_dir) == pid is not None
    launcher.release()
    assert server_pid(data_dir) is None


def test_a_forked_child_neither_stops_the_server_nor_keeps_it_up(data_dir: Path) -> None:
    code = USER.replace("print(", "import os\nif os.fork() == 0:\n    sys.exit()\nos.wait()\nprint(")
    user = User(data_dir, code)
    user.wait_until_ready()

    assert server_pid(data_dir) is not None
    user.leave()
    assert server_pid(data_dir) is None


def test_a_killed_server_is_started_again_with_what_was_committed(data_dir: Path) -> None:
    info = launcher.ensure_running(data_dir)
    with connect(info) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    kill_server(data_dir)

    assert query(launcher.ensure_running(data_dir), "SELECT number FROM kept") == "7"


async def test_supervise_starts_a_killed_server_again(data_dir: Path) -> None:
    launcher.ensure_running(data_dir)
    keeper = asyncio.create_task(launcher.supervise(data_dir, every=0.05))
    try:
        kill_server(data_dir)
        async with asyncio.timeout(20):
            while not cluster.accepts_connections(data_dir / "postgres"):
                await asyncio.sleep(0.05)
    finally:
        keeper.cancel()


def test_lock_files_whose_process_id_went_to_another_process_do_not_hinder_a_start(data_dir: Path) -> None:
    info = launcher.ensure_running(data_dir)
    lock = (data_dir / "postgres/postmaster.pid").read_text()
    kill_server(data_dir)
    taken = lock.replace(lock.splitlines()[0], str(os.getpid()), 1)
    (data_dir / "postgres/postmaster.pid").write_text(taken)
    Path(info.host, ".s.PGSQL.5432.lock").write_text(taken)

    assert query(launcher.ensure_running(data_dir), "SELECT 1") == "1"


def test_a_data_folder_with_a_long_path_gets_its_socket_elsewhere_and_still_closed(data_dir: Path) -> None:
    deep = data_dir.parent / ("x" * 120)
    data_dir.rename(deep)
    info = launcher.ensure_running(deep)

    assert not Path(info.host).is_relative_to(deep)
    assert stat.S_IMODE(Path(info.host).stat().st_mode) == 0o700
    assert query(info, "SELECT 1") == "1"
    launcher.release()
    assert not Path(info.host).exists()


def test_files_of_another_major_version_are_refused_and_left_alone(new_data_dir: Path) -> None:
    (new_data_dir / "postgres").mkdir(parents=True)
    (new_data_dir / "postgres/PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17.*brings PostgreSQL 18.*pg_dump"):
        launcher.ensure_running(new_data_dir)

    assert [path.name for path in (new_data_dir / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_half_made_database_is_made_anew(new_data_dir: Path) -> None:
    (new_data_dir / "postgres.new").mkdir(parents=True)
    (new_data_dir / "postgres.new/PG_VERSION").write_text("18\n")

    assert query(launcher.ensure_running(new_data_dir), "SELECT 1") == "1"
    assert not (new_data_dir / "postgres.new").exists()


def test_a_socket_folder_that_others_can_open_is_refused(data_dir: Path) -> None:
    (data_dir / "pg-socket").mkdir(parents=True)
    (data_dir / "pg-socket").chmod(0o777)

    with pytest.raises(EmbeddedPostgresError, match="closed to others"):
        launcher.ensure_running(data_dir)


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher.ensure_running(data_dir)
    launcher.release()
    with (data_dir / "postgres/postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    monkeypatch.setattr(launcher, "_RETRY_SECONDS", 0.0)

    with pytest.raises(EmbeddedPostgresError, match=r"(?s)does not start.*no_such_setting"):
        launcher.ensure_running(data_dir)


def test_checks_start_no_server_and_a_query_does(new_data_dir: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(new_data_dir), "DATABASE_URL": ""}

    def manage(*arguments: str) -> str:
        return subprocess.check_output(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, text=True
        )

    manage("check")
    assert not (new_data_dir / "postgres").exists()
    assert "7" in manage("dbshell", "--", "-tc", "SELECT 7")
    assert server_pid(new_data_dir) is None


def test_django_with_a_pool_goes_on_after_the_server_was_killed(
    data_dir: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    settings.DATA_DIR = data_dir
    database = {
        **connections.settings["default"],
        "ENGINE": "imageeditor.postgres.backend",
        "NAME": "portal",
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}},
        "CONN_HEALTH_CHECKS": True,
    }
    monkeypatch.setitem(connections.settings, "embedded", database)
    connection = connections["embedded"]

    def answer() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 7")
            return int(cursor.fetchone()[0])

    with django_db_blocker.unblock():
        assert answer() == 7
        connection.close()
        kill_server(data_dir)
        assert answer() == 7
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
        del connections["embedded"]


if os.geteuid() == 0:
    # Only root runs the server as another account, so only root has these cases.

    def test_as_root_the_server_runs_as_an_account_without_rights(data_dir: Path) -> None:
        launcher.ensure_running(data_dir)

        assert Path(f"/proc/{server_pid(data_dir)}").stat().st_uid != 0

    def test_as_root_a_folder_that_account_cannot_reach_keeps_its_mode_and_gets_its_files_elsewhere(
        new_data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        homes = new_data_dir.parent / "homes"
        homes.mkdir(mode=0o755)
        monkeypatch.setattr(places, "_SEPARATE_HOMES", homes)
        new_data_dir.mkdir(mode=0o700)
        with connect(launcher.ensure_running(new_data_dir)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        launcher.release()

        info = launcher.ensure_running(new_data_dir)

        assert query(info, "SELECT number FROM kept") == "7"
        assert Path(info.host).is_relative_to(homes)
        assert stat.S_IMODE(new_data_dir.stat().st_mode) == 0o700
        assert len(list(homes.iterdir())) == 1

    def test_as_root_a_database_that_became_unreachable_is_not_replaced_by_an_empty_one(
        data_dir: Path,
    ) -> None:
        launcher.ensure_running(data_dir)
        launcher.release()
        data_dir.chmod(0o700)

        with pytest.raises(EmbeddedPostgresError, match="cannot be reached"):
            launcher.ensure_running(data_dir)
