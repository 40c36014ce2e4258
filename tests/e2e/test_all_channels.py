"""The same edit through all six channels: six jobs that differ only in the channel."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.e2e import agent
from tests.e2e.api import EMAIL, PICTURE, STANDARD, Api, open_spaces
from tests.e2e.client import Client
from tests.e2e.seed_client import BASE
from tests.patience import PATIENCE, wait_until

PROMPT = "make it black and white"
MODEL = "black-forest-labs/flux-kontext-pro"
ENCODED = base64.b64encode(PICTURE).decode()
# All options of the model, by their catalog names.
INPUTS: dict[str, Any] = {
    "promptUpsampling": "false",
    "safetyTolerance": "2",
    "aspectRatio": "",
    "seed": "7",
    "outputFormat": "png",
}
BFL: dict[str, Any] = {"prompt": PROMPT, "input_image": ENCODED, "seed": 7, "output_format": "png"}
CHANNELS = ("web", "api", "bfl", "wiro", "openai", "mcp")


@pytest.fixture(scope="module")
def key(api: Api) -> str:
    return open_spaces(api.portal, {"six": {"workspace": "Six channels"}})["six"]


@pytest.fixture(scope="module")
def jobs(api: Api, key: str) -> dict[str, dict[str, Any]]:
    """The database rows of each channel's job, once all have ended."""
    url = api.portal.url
    http = httpx.Client(base_url=url, timeout=PATIENCE)
    picture = {"image": ("a.png", PICTURE, "image/png")}

    person = Client(api.portal, email=EMAIL, slug="six-channels")
    uploaded = person.send("/w/six-channels/upload/", files={"files": ("a.png", PICTURE, "image/png")})
    assert uploaded.status_code == 302, uploaded.text
    source = uploaded.headers["location"].rstrip("/").rpartition("/")[2]
    accepted = person.run(PROMPT, model=MODEL, images=source, **INPUTS)
    assert accepted.status_code == 302, accepted.text
    person.http.close()

    body = {"prompt": PROMPT, "model": MODEL, "image_url": api.pictures + "/a.png", "parameters": INPUTS}
    answer = http.post(f"{BASE}/process", headers={"authorization": f"Bearer {key}"}, json=body)
    assert answer.status_code == 201, answer.text

    answer = http.post("/v1/flux-kontext-pro", headers={"x-key": key}, json=BFL)
    assert answer.status_code == 200, answer.text

    answer = http.post(
        f"/v1/Run/{MODEL}",
        headers={"x-api-key": key},
        data={"prompt": PROMPT, **INPUTS},
        files={"inputImage": picture["image"]},
    )
    assert answer.json()["errors"] == [], answer.text

    answer = http.post(
        "/v1/images/edits",
        headers={"authorization": f"Bearer {key}"},
        data={"prompt": PROMPT, "model": MODEL, **INPUTS},
        files=picture,
    )
    assert answer.status_code == 200, answer.text

    result = agent.call(url, key, "editimagekontextpro", **BFL)
    assert not result.is_error, result.content

    http.close()
    return _ended(api)


def _ended(api: Api) -> dict[str, dict[str, Any]]:
    def rows() -> list[tuple[Any, ...]]:
        return api.portal.query(
            "SELECT channel, row_to_json(j), (SELECT json_agg(json_build_array(kind, percent) ORDER BY e.id) "
            "FROM editor_jobevent e WHERE e.job_id = j.id), (SELECT json_agg(json_build_array(kind, amount, "
            "held_amount) ORDER BY l.id) FROM editor_ledgerentry l WHERE l.job_id = j.id), "
            "(SELECT json_agg(json_build_array(storage_name, width, height, content_type)) "
            "FROM editor_image i WHERE i.job_id = j.id), (SELECT json_agg(role) FROM editor_jobimage g "
            "WHERE g.job_id = j.id) FROM editor_job j JOIN editor_workspace w ON w.id = j.workspace_id "
            "WHERE w.slug = 'six-channels'"
        )

    def all_ended() -> bool:
        found = rows()
        return len(found) == len(CHANNELS) and all(row[1]["finished_at"] for row in found)

    wait_until(all_ended, otherwise=lambda: [(row[0], row[1]["status"]) for row in rows()])
    return {
        channel: {**job, "events": events, "ledger": ledger, "results": results, "roles": roles}
        for channel, job, events, ledger, results, roles in rows()
    }


def test_each_channel_made_one_job(jobs: dict[str, dict[str, Any]]) -> None:
    assert jobs.keys() == set(CHANNELS)


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_each_channel_makes_the_same_job_at_the_same_price(
    jobs: dict[str, dict[str, Any]], channel: str
) -> None:
    same = (
        *("model", "tier", "prompt", "sent_prompt", "inputs", "provider", "target", "own_key"),
        *("status", "price", "charged", "seed", "time_limit", "error", "created_by_id", "workspace_id"),
        *("ledger", "roles", "style_id", "character_id"),
    )
    first = {name: jobs["web"][name] for name in same}
    assert {name: jobs[channel][name] for name in same} == first
    assert first["status"] == "completed"
    assert first["ledger"] == [["hold", -STANDARD, STANDARD], ["settle", 0, -STANDARD]]
    assert json.loads(json.dumps(first["inputs"]))["seed"] == 7


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_each_channel_goes_through_the_same_steps(jobs: dict[str, dict[str, Any]], channel: str) -> None:
    def steps(name: str) -> list[str]:
        """Kinds of events without repeats: the number of progress events depends on timing."""
        kinds = [kind for kind, _ in jobs[name]["events"]]
        return [kind for place, kind in enumerate(kinds) if kind not in kinds[:place]]

    assert steps(channel) == steps("web")


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_each_channel_returns_the_same_bytes(api: Api, jobs: dict[str, dict[str, Any]], channel: str) -> None:
    def result(name: str) -> tuple[str, list[Any]]:
        [[stored, *rest]] = jobs[name]["results"]
        return hashlib.sha256((api.portal.data / "media" / stored).read_bytes()).hexdigest(), rest

    assert result(channel) == result("web")
