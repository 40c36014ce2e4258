"""The location of the embedded server's files and socket, its account, and what it refuses."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from imageeditor.postgres import launcher, places
from imageeditor.postgres.errors import EmbeddedPostgresError
from tests.embedded_postgres.support import connect, query, server_pid


def test_a_data_folder_with_a_long_path_has_a_private_socket_elsewhere(data_dir: Path) -> None:
    deep = data_dir.parent / ("x" * 120)
    data_dir.rename(deep)
    info = launcher.ensure_running(deep)

    assert not Path(info.host).is_relative_to(deep)
    assert stat.S_IMODE(Path(info.host).stat().st_mode) == 0o700
    assert query(info, "SELECT 1") == "1"
    launcher.release(deep)
    assert not Path(info.host).exists()


def test_files_of_another_major_version_are_refused_and_unchanged(new_data_dir: Path) -> None:
    (new_data_dir / "postgres").mkdir(parents=True)
    (new_data_dir / "postgres/PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17.*brings PostgreSQL 18.*pg_dump"):
        launcher.ensure_running(new_data_dir)

    assert [path.name for path in (new_data_dir / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_socket_folder_that_others_can_open_is_refused(data_dir: Path) -> None:
    (data_dir / "pg-socket").mkdir(parents=True)
    (data_dir / "pg-socket").chmod(0o777)

    with pytest.raises(EmbeddedPostgresError, match="closed to others"):
        launcher.ensure_running(data_dir)


if os.geteuid() == 0:
    # Only root runs the server as another account, so these cases exist only for root.

    def test_as_root_the_server_runs_as_an_unprivileged_account(data_dir: Path) -> None:
        launcher.ensure_running(data_dir)

        assert Path(f"/proc/{server_pid(data_dir)}").stat().st_uid != 0

    def test_as_root_files_of_an_unreachable_folder_are_elsewhere_and_its_mode_is_kept(
        new_data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        homes = new_data_dir.parent / "homes"
        homes.mkdir(mode=0o755)
        monkeypatch.setattr(places, "_SEPARATE_HOMES", homes)
        new_data_dir.mkdir(mode=0o700)
        with connect(launcher.ensure_running(new_data_dir)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        launcher.release(new_data_dir)

        info = launcher.ensure_running(new_data_dir)

        assert query(info, "SELECT number FROM kept") == "7"
        assert Path(info.host).is_relative_to(homes)
        assert stat.S_IMODE(new_data_dir.stat().st_mode) == 0o700
        assert len(list(homes.iterdir())) == 1

    def test_as_root_an_unreachable_database_is_not_replaced_by_an_empty_one(
        data_dir: Path,
    ) -> None:
        launcher.ensure_running(data_dir)
        launcher.release(data_dir)
        data_dir.chmod(0o700)

        with pytest.raises(EmbeddedPostgresError, match="cannot be reached"):
            launcher.ensure_running(data_dir)
