"""A tenant fills the storage of a real portal: the workspace's quota, and the disk down to its reserve."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.attacks.storage import CREDITS, PICTURE, Reported, files, tenant
from tests.e2e.portal import Portal
from tests.e2e.test_crashes import wait_for

MORE_THAN_THERE_IS = "1000000TB"
# Channels whose responses have the status; Wiro's clients and agents get 200 with an error inside.
STATUSES = ("upload", "run", "upload-url", "process", "bfl", "openai")
WITH_CODES = ("upload-url", "process", "openai", "mcp")


def assert_refused(reported: dict[str, Reported], *, status: int, code: str, message: str) -> None:
    for channel, answer in reported.items():
        text = answer.message.replace("&#x27;", "'")
        assert message in text, channel
        assert "Nothing was charged" in text, channel
        assert "unexpected error" not in text, channel
    assert {channel: reported[channel].status for channel in STATUSES} == dict.fromkeys(STATUSES, status)
    assert {channel: reported[channel].code for channel in WITH_CODES} == dict.fromkeys(WITH_CODES, code)


def counted(portal: Portal) -> list[tuple[Any, ...]]:
    """Bytes by the account and by the rows, which must be equal."""
    return portal.query(
        "SELECT stored, (SELECT coalesce(sum(size + thumbnail_size), 0)::bigint FROM editor_image "
        "WHERE purged_at IS NULL) FROM editor_storageaccount"
    )


def test_a_workspace_cannot_exceed_its_quota_through_any_channel(portal: Portal) -> None:
    with tenant(portal) as one:
        assert one.upload().status_code == 302
        size = sum(path.stat().st_size for path in files(portal))
        assert counted(portal) == [(size, size)]
        room = 4
        quota = size * (1 + room) + size // 2
        portal.query("UPDATE editor_plan SET storage_bytes = %s RETURNING id", quota)

        with ThreadPoolExecutor(12) as threads:
            statuses = list(threads.map(lambda _: one.upload().status_code, range(12)))
        assert sorted(statuses) == [302] * room + [422] * (12 - room)
        stored = size * (1 + room)
        assert counted(portal) == [(stored, stored)]
        assert sum(path.stat().st_size for path in files(portal)) == stored

        # Announced bytes are reserved, and a file larger than announced is not stored.
        left = quota - stored
        link = one.link(file_size=left)
        assert link.status_code == 201
        assert one.link(file_size=1).json()["code"] == "storage_full"
        refused = one.put(link.json()["data"]["upload_url"], PICTURE + bytes(left))
        assert (refused.status_code, refused.json()["success"]) == (422, False)
        assert sum(path.stat().st_size for path in files(portal)) == stored

        assert_refused(
            one.through_every_channel(),
            status=422,
            code="storage_full",
            message="The workspace's storage is full",
        )
        assert portal.query("SELECT balance, held FROM editor_creditaccount") == [(CREDITS, 0)]
        assert portal.query("SELECT count(*) FROM editor_job") == [(0,)]
        assert counted(portal) == [(stored, stored)]


def test_with_little_disk_left_all_channels_refuse_and_running_edits_complete(portal: Portal) -> None:
    with tenant(portal) as one:
        link = one.link(file_size=len(PICTURE)).json()["data"]["upload_url"]
        assert one.person.run("[slow:2] a quiet harbour").status_code == 302
        wait_for(portal, "SELECT count(*) FROM editor_job WHERE provider_task_id IS NOT NULL", [(1,)])
    assert portal.stop() == 0
    portal.environment["STORAGE_RESERVE"] = MORE_THAN_THERE_IS
    portal.start()

    with tenant(portal) as one:
        wait_for(portal, "SELECT status FROM editor_job", [("completed",)])
        (result,) = portal.query("SELECT storage_name FROM editor_image WHERE kind = 'result'")
        assert (portal.data / "media" / result[0]).is_file()
        before = len(files(portal))

        assert_refused(
            one.through_every_channel(), status=503, code="disk_full", message="The portal's disk is full"
        )
        late = one.put(link)
        assert (late.status_code, "disk is full" in late.json()["error"]) == (503, True)
        assert len(files(portal)) == before
        assert portal.query("SELECT count(*) FROM editor_job") == [(1,)]
        assert one.person.http.get("/w/acme-studio/gallery/").status_code == 200

    ready = httpx.get(f"{portal.url}/readyz")
    assert (ready.status_code, list(ready.json()["failing"])) == (503, ["disk"])
    assert httpx.get(f"{portal.url}/healthz").status_code == 200
