"""A tenant fills a small disk that also holds the database. Needs root to mount it.

With -s it prints the free space and the responses.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.attacks.storage import EMAIL, SLUG, files, tenant
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.e2e.test_crashes import wait_for

MEGABYTE = 1024 * 1024
SIZE, RESERVE = 300 * MEGABYTE, 64 * MEGABYTE
MOST_TRIES = 60


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A separate file system that the database's account can access too."""
    if os.geteuid() != 0:
        pytest.fail("This attack fills a disk of its own, which only root can mount: run it as root.")
    folder = Path(tempfile.mkdtemp(prefix="small-disk-", dir="/var/tmp"))
    folder.chmod(0o755)
    mount = folder / "data"
    mount.mkdir()
    options = f"size={SIZE},mode=755"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount)], check=False)
    if done.returncode:
        shutil.rmtree(folder)
        pytest.fail("This attack fills a disk of its own, and this machine does not let it mount one.")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)
    shutil.rmtree(folder)


@pytest.fixture
def portal(portals: Path, small_disk: Path) -> Iterator[Portal]:
    """A portal with its database, files and temporary files on that disk."""
    temporary = small_disk / "tmp"
    temporary.mkdir(mode=0o1777)
    portal = Portal(
        small_disk.parent,
        STATIC_ROOT=str(portals / "static"),
        TMPDIR=str(temporary),
        STORAGE_RESERVE=str(RESERVE),
    )
    portal.start()
    yield portal
    portal.remove()


def free(portal: Portal) -> int:
    return shutil.disk_usage(portal.data).free


def note(portal: Portal, what: str) -> None:
    sys.stdout.write(f"\n{free(portal) / MEGABYTE:6.1f} MB free: {what}\n")


def noise(length: int) -> bytes:
    """An incompressible PNG of about `length` bytes."""
    side = int((length / 3) ** 0.5)
    with tempfile.TemporaryFile() as file:
        Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(file, "PNG", compress_level=0)
        file.seek(0)
        return file.read()


def fill(portal: Portal, *, leave: int) -> Path:
    """Fill the disk with a file of another program, except for `leave` bytes."""
    filler = portal.data / "filler"
    with filler.open("wb", buffering=0) as file:
        while (rest := free(portal) - leave) > 0:
            try:
                file.write(bytes(min(rest, MEGABYTE)))
            except OSError as error:
                assert error.errno == errno.ENOSPC
                break
    return filler


def assert_disk_is_reported(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert "disk is full" in answer.text
    assert "unexpected error" not in answer.text


def assert_database_writes(portal: Portal) -> None:
    """Sign in, which writes a session and the time of the last login."""
    Client(portal, email=EMAIL, slug=SLUG).http.close()


def test_uploads_fill_the_disk_down_to_the_reserve(portal: Portal) -> None:
    with tenant(portal) as one:
        note(portal, "at the start")
        assert one.person.run("[slow:20] a quiet harbour").status_code == 302
        wait_for(portal, "SELECT count(*) FROM editor_job WHERE provider_task_id IS NOT NULL", [(1,)])
        picture = noise(12 * MEGABYTE)
        answers: Counter[int] = Counter()
        while not answers[503] and sum(answers.values()) < MOST_TRIES:
            answer = one.upload(picture)
            answers[answer.status_code] += 1
        note(portal, f"after {dict(answers)} to uploads of {len(picture) / MEGABYTE:.0f} MB")
        assert_disk_is_reported(answer)
        # The temporary space of the last upload is free again, so smaller ones fit.
        while (answer := one.upload(noise(3 * MEGABYTE))).status_code == 302:
            answers[302] += 1
        note(portal, f"after {answers[302]} uploads in all")
        assert_disk_is_reported(answer)
        # The last accepted upload may have started just above the reserve.
        assert free(portal) > RESERVE - 2 * len(picture)
        # Refused uploads may have lacked space only for their bodies, deleted just after the response.
        filler = fill(portal, leave=RESERVE - 2 * len(picture))
        ready = httpx.get(f"{portal.url}/readyz")
        assert (ready.status_code, list(ready.json()["failing"])) == (503, ["disk"])
        assert_disk_is_reported(one.person.run("a quiet harbour"))
        assert_database_writes(portal)

        wait_for(portal, "SELECT status FROM editor_job", [("completed",)])
        (result,) = portal.query("SELECT storage_name FROM editor_image WHERE kind = 'result'")
        assert (portal.data / "media" / result[0]).is_file()
        note(portal, "the edit that was under way has ended, and the database writes")

        filler.unlink()
        portal.query("UPDATE editor_image SET trashed_at = now() WHERE kind = 'source' RETURNING id")
        assert one.person.post(f"/w/{SLUG}/trash/empty/").status_code == 302
        note(portal, "after the trash was emptied")
        assert one.upload(noise(MEGABYTE)).status_code == 302
        assert httpx.get(f"{portal.url}/readyz").status_code == 200


def test_a_write_without_space_leaves_nothing_and_reports_the_full_disk(portal: Portal) -> None:
    """Without a reserve, as when other programs fill the disk between two checks."""
    assert portal.stop() == 0
    portal.environment["STORAGE_RESERVE"] = "0"
    portal.start()
    with tenant(portal) as one:
        small, large = noise(4 * MEGABYTE), noise(12 * MEGABYTE)
        link = one.link(file_size=len(small)).json()["data"]["upload_url"]
        before = len(files(portal))
        filler = fill(portal, leave=3 * MEGABYTE)
        note(portal, "somebody else has filled the disk")
        left = free(portal)
        answers = {"4 MB": one.upload(small), "12 MB": one.upload(large), "a link": one.put(link, small)}
        note(portal, f"answers { ({name: each.status_code for name, each in answers.items()}) }")
        for answer in answers.values():
            assert_disk_is_reported(answer)
        assert len(files(portal)) == before
        assert not list((portal.data / "tmp").glob("*.upload"))
        assert free(portal) > left - MEGABYTE  # the database may have written something

        filler.unlink()
        note(portal, "the space is back")
        assert one.upload(small).status_code == 302
        assert one.put(link, small).status_code == 200
        assert_database_writes(portal)
