"""Fixtures of every test: a media folder of its own, and an empty queue after a flush."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from channels.layers import channel_layers
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from pytest_django import Settings

from editor.concurrency import threads
from editor.models import Plan
from imageeditor.postgres import launcher
from tests.fast_postgres import no_waiting_for_the_disk
from tests.patience import PATIENCE

# Examples have no time limit: a busy machine is no failure.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Runs before the test database is created. A server of the developer's own is left unchanged."""
    if settings.DATABASES["default"]["ENGINE"] == "imageeditor.postgres.backend":
        no_waiting_for_the_disk(launcher.ensure_running(settings.DATA_DIR))


@pytest.fixture(autouse=True)
def media_folder(settings: Settings, tmp_path: Path) -> None:
    """Files that a test stores go to its own folder; static files need no manifest."""
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Test passwords protect nothing, and the real hasher is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    """The channel layer in memory belongs to one event loop, and each test has its own."""
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Attempts of earlier tests do not count. A Redis of the developer's own is left unchanged."""
    if not settings.REDIS_URL:
        cache.clear()


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """A database whose commits are real, for tests with threads, the queue or sockets.

    Django empties its own tables afterwards, with the rows of the migrations; the queue's
    tables are not Django's, so they are emptied here.
    """
    Plan.objects.get_or_create(name="Standard", is_default=True)
    yield
    let_database_work_end()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def let_database_work_end() -> None:
    """Wait until no thread works for a job of the test any more: it would clash with emptying the tables."""
    for pool, kind in itertools.product(
        (threads.ENGINE, threads.CHANNELS), (threads.DATABASE, threads.STORAGE)
    ):
        idle = threading.Barrier(threads.THREADS + 1)
        for _ in range(threads.THREADS):
            threads._threads(pool, kind).submit(idle.wait, PATIENCE)
        idle.wait(PATIENCE)
