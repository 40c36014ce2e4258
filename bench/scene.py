"""Data for the screenshots of `screens`: people, their edits, and their times."""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path

from bench.portal import OWNER, SLUG, WORKSPACE
from tests.e2e.client import Client
from tests.e2e.portal import ROOT, Portal

PEOPLE = {"Jonas": "jonas@example.test", "Mei": "mei@example.test", "Amara": OWNER}
LOOKS = (
    "As pop art",
    "As a pencil sketch",
    "Tint it teal",
    "Turn day into night",
    "As a gouache painting",
    "Warm morning light",
)
SAMPLES = ROOT / "static" / "samples"
PHOTOGRAPHS = ("rocket", "portrait", "cat", "coffee")
EDITS = 72  # in the gallery
STARRED_EVERY = 5
MINUTES_BETWEEN = 25
CREDITS = 412


def fill_gallery(portal: Portal) -> None:
    """Edits of the photographs by three people, one every MINUTES_BETWEEN minutes until an hour ago."""
    clients = {}
    for name, email in PEOPLE.items():
        if email != OWNER:
            portal.bootstrap(email=email, workspace=WORKSPACE, credits=2000)
            portal.query("UPDATE editor_user SET name = %s WHERE email = %s RETURNING id", name, email)
        clients[name] = Client(portal, email=email, slug=SLUG)
    # The newest edit is created last, as in real use.
    newest_first = islice(zip(cycle(PHOTOGRAPHS), cycle(LOOKS), cycle(PEOPLE), strict=False), EDITS)
    for photograph, look, name in reversed(list(newest_first)):
        image = _upload(clients[name], SAMPLES / f"{photograph}.jpg")
        answer = clients[name].run(look, images=image)
        assert answer.status_code == 302, answer.text
    _wait_for_edits(portal)
    failed = portal.query("SELECT DISTINCT prompt, error FROM editor_job WHERE status <> 'completed'")
    assert not failed, failed
    portal.query(_INTO_THE_PAST, MINUTES_BETWEEN)
    portal.query(_STARS, OWNER, STARRED_EVERY)
    portal.query(_CHARACTERS)


def set_credits(portal: Portal) -> None:
    portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=CREDITS)


def _upload(client: Client, photograph: Path) -> str:
    """The id of a new image."""
    answer = client.http.post(
        f"/w/{SLUG}/upload/",
        files={"files": (photograph.name, photograph.read_bytes(), "image/jpeg")},
        headers={"X-CSRFToken": client.http.cookies["csrftoken"]},
    )
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].rstrip("/").rpartition("/")[2]


def _wait_for_edits(portal: Portal) -> None:
    deadline = time.monotonic() + 300
    while portal.query("SELECT id FROM editor_job WHERE finished_at IS NULL LIMIT 1"):
        assert time.monotonic() < deadline, portal.log.read_text()[-4000:]
        time.sleep(0.3)


_INTO_THE_PAST = """
WITH moved AS (
    SELECT id, created_at - now() + make_interval(
        hours => 1, mins => %s * (row_number() OVER (ORDER BY created_at DESC) - 1)::int
    ) AS span
    FROM editor_job
), jobs AS (
    UPDATE editor_job AS job
    SET created_at = created_at - span, started_at = started_at - span, finished_at = finished_at - span
    FROM moved WHERE moved.id = job.id
), events AS (
    UPDATE editor_jobevent AS event SET created_at = created_at - span
    FROM moved WHERE moved.id = event.job_id
)
UPDATE editor_image AS image SET created_at = created_at - span
FROM moved WHERE moved.id = image.job_id
RETURNING image.id
"""

_STARS = """
INSERT INTO editor_star (user_id, image_id, created_at)
SELECT owner.id, shown.id, now()
FROM editor_user AS owner, (
    SELECT id, row_number() OVER (ORDER BY created_at DESC) AS place FROM editor_image WHERE kind = 'result'
) AS shown
WHERE owner.email = %s AND shown.place %% %s = 0
RETURNING id
"""

_CHARACTERS = """
WITH made AS (
    INSERT INTO editor_character (id, created_at, workspace_id, name, description, version)
    SELECT gen_random_uuid(), now(), workspace.id, wanted.name, '', 1
    FROM editor_workspace AS workspace, (VALUES ('Mara'), ('Biscuit')) AS wanted (name)
    RETURNING id, name
)
INSERT INTO editor_characterimage (character_id, image_id, position)
SELECT DISTINCT ON (made.id) made.id, image.id, 1
FROM made JOIN editor_image AS image
  ON image.original_name = CASE made.name WHEN 'Mara' THEN 'portrait.jpg' ELSE 'cat.jpg' END
RETURNING id
"""
