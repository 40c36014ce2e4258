"""Data folders for separate servers. These tests need no Django database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imageeditor.postgres import launcher
from tests.embedded_postgres.support import User


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that any account can reach, unlike pytest's own folders."""
    parent = Path(tempfile.mkdtemp(prefix="portal-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    launcher.release(parent / "data")
    shutil.rmtree(parent)


@contextmanager
def usual_umask() -> Iterator[None]:
    """Folders created inside can be reached by other accounts, as root's database needs it."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    with usual_umask():
        yield


@pytest.fixture
def new_data_dir() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with folder() as path:
        yield path


@pytest.fixture(scope="session")
def made_data_dir() -> Iterator[Path]:
    with folder() as path:
        with usual_umask():
            launcher.ensure_running(path)
            launcher.release(path)
        with (path / "postgres/postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")  # faster; these tests do not cut the power
        yield path


@pytest.fixture
def data_dir(made_data_dir: Path, new_data_dir: Path) -> Path:
    """A data folder with an empty database, stopped; copied, because creating one takes longer."""
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
