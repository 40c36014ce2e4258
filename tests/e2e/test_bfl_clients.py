"""Public clients of BFL's API against the portal, unchanged except for base URL and key.

`make test` installs them. How they report an outcome varies: some know fewer of BFL's statuses.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import ask
from tests.e2e.api import PICTURE, STANDARD, Api, open_spaces
from tests.factories import photo
from tests.patience import PATIENCE

CLIENTS = Path(__file__).parent / "clients"
EDIT = "Turn teal into red"
Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, str]:
    own: dict[str, dict[str, Any]] = {
        "bfl": {"workspace": "Switched"},
        "bfl_slow": {"workspace": "Switched slow", "requests_per_minute": 2},
    }
    return api.keys | open_spaces(api.portal, own)


def program(variable: str, needed: str) -> str:
    """The program that `make test` passes in this variable; skips the test if it is not set.

    needed  a file that exists if the client is installed, relative to the program's folder
    """
    path = os.environ.get(variable)
    if path is None:
        pytest.skip(f"needs {variable}, which `make test` sets")
    for file in (Path(path), Path(path).parent / needed):
        assert file.exists(), f"There is no {file}: `make test` said why, see .make/clients.sh."
    return path


def run(command: list[str], reported: dict[str, Any]) -> str:
    done = subprocess.run(
        command, input=json.dumps(reported), capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def ai_sdk(api: Api, keys: dict[str, str]) -> Call:
    """Calls doGenerate of @ai-sdk/black-forest-labs; `by` is the name of the key."""
    node = program("PORTAL_NODE", str(CLIENTS / "node_modules" / ".installed"))

    def call(model: str, *, by: str = "bfl", seconds: float = PATIENCE, **options: Any) -> dict[str, Any]:
        base = {"baseURL": f"{api.portal.url}/v1", "apiKey": keys[by], "timeout": seconds * 1000}
        reported = base | {"model": model} | options
        return dict(json.loads(run([node, str(CLIENTS / "bfl.mjs")], reported)))

    return call


@pytest.fixture
def blackforest(api: Api, keys: dict[str, str], tmp_path: Path) -> Call:
    """Calls `generate` of blackforest."""
    python = program("PORTAL_BLACKFOREST", "../installed")

    def call(model: str, *, by: str = "bfl", retries: int = 120, **inputs: Any) -> dict[str, Any]:
        reported = {"base_url": api.portal.url, "api_key": keys[by], "retries": retries}
        output = tmp_path / "output.json"
        run([python, str(CLIENTS / "bfl.py"), str(output)], reported | {"model": model, "inputs": inputs})
        return dict(json.loads(output.read_text()))

    return call


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def stored(api: Api, job_id: str) -> bytes:
    """The stored file of a job's only result."""
    (name,) = api.portal.query("SELECT storage_name FROM editor_image WHERE job_id = %s", job_id)[0]
    return (api.portal.data / "media" / name).read_bytes()


def newest(api: Api) -> tuple[str, str, str]:
    """Id, channel and model of the newest job."""
    rows = api.portal.query(
        "SELECT id::text, channel, model FROM editor_job ORDER BY created_at DESC LIMIT 1"
    )
    job_id, channel, model = rows[0]
    return job_id, channel, model


def jobs(api: Api) -> int:
    return int(api.portal.query("SELECT count(*) FROM editor_job")[0][0])


# --- @ai-sdk/black-forest-labs ------------------------------------------------------------


def test_the_ai_sdk_edits_an_image(api: Api, ai_sdk: Call) -> None:
    source = {"type": "file", "mediaType": "image/png", "data": encoded(PICTURE)}
    got = ai_sdk("flux-kontext-pro", prompt=EDIT, files=[source], seed=7)
    assert "error" not in got, got
    job_id, channel, model = newest(api)
    assert (channel, model) == ("bfl", "black-forest-labs/flux-kontext-pro")
    assert base64.b64decode(got["image"]) == stored(api, job_id)
    assert got["type"] == "image/png"
    assert (got["metadata"]["seed"], got["metadata"]["cost"]) == (7, STANDARD)
    assert got["metadata"]["duration"] >= 0


def test_the_ai_sdk_sends_several_images_also_by_url(api: Api, ai_sdk: Call) -> None:
    files = [
        {"type": "url", "url": f"{api.pictures}/teal.png"},
        {"type": "file", "mediaType": "image/png", "data": encoded(photo(width=128))},
    ]
    got = ai_sdk(
        "flux-2-pro",
        prompt="Put image 2 onto image 1 at the bottom right",
        files=files,
        providerOptions={"blackForestLabs": {"outputFormat": "png", "width": 256, "height": 256}},
    )
    assert "error" not in got, got
    job_id = newest(api)[0]
    assert base64.b64decode(got["image"]) == stored(api, job_id)
    widths = api.portal.query(
        "SELECT i.width FROM editor_jobimage ji JOIN editor_image i ON i.id = ji.image_id "
        "WHERE ji.job_id = %s ORDER BY ji.position",
        job_id,
    )
    assert widths == [(96,), (128,)]
    assert got["metadata"]["outputMegapixels"] == round(256 * 256 / 2**20, 2)


def test_the_ai_sdk_generates_an_image_from_text(ai_sdk: Call) -> None:
    got = ai_sdk("flux-kontext-max", prompt="a quiet harbour", aspectRatio="16:9")
    assert "error" not in got, got
    assert base64.b64decode(got["image"]).startswith(b"\x89PNG")


def test_the_ai_sdk_fails_on_a_moderated_result(api: Api, ai_sdk: Call) -> None:
    """It does not know the status “Content Moderated” and fails at once."""
    got = ai_sdk("flux-kontext-pro", prompt="a quiet harbour [moderate]")
    assert got["error"] == "Invalid JSON response"
    assert "Content Moderated" in got["body"]
    assert api.ledger(newest(api)[0])[-1][0] == "release"


def test_the_ai_sdk_reports_a_failure(ai_sdk: Call) -> None:
    got = ai_sdk("flux-kontext-pro", prompt="a quiet harbour [fail]")
    assert got["error"] == "Black Forest Labs generation failed."


@pytest.mark.parametrize(
    ("by", "options", "status", "message"),
    [
        ("bfl", {"aspectRatio": "7:5"}, 422, "Input should be '1:1', '16:9'"),
        ("bfl", {"prompt": " "}, 422, "Describe what you would like to see."),
        ("poor", {}, 402, "Insufficient credits"),
        ("reader", {}, 403, "does not have the scope"),
    ],
)
def test_the_ai_sdk_reports_why_a_request_was_refused(
    api: Api, ai_sdk: Call, by: str, options: dict[str, Any], status: int, message: str
) -> None:
    before = jobs(api)
    got = ai_sdk("flux-kontext-pro", by=by, **{"prompt": "a quiet harbour"} | options)
    assert (got["status"], got["retryable"]) == (status, False)
    assert message in got["error"]
    assert jobs(api) == before


def test_the_ai_sdk_can_retry_after_the_rate_limit(api: Api, ai_sdk: Call, keys: dict[str, str]) -> None:
    for _ in range(2):
        ask.get(f"{api.portal.url}/v1/credits", headers={"x-key": keys["bfl_slow"]})
    got = ai_sdk("flux-kontext-pro", by="bfl_slow", prompt="a quiet harbour")
    assert (got["status"], got["retryable"]) == (429, True)
    assert "allows 2 requests per minute" in got["error"]


# --- blackforest --------------------------------------------------------------------------


def test_blackforest_edits_an_image(api: Api, blackforest: Call) -> None:
    got = blackforest("flux-kontext-pro", prompt=EDIT, input_image=encoded(PICTURE), seed=7)
    result = got["result"]
    assert (result["prompt"], result["seed"]) == (EDIT, 7)
    image = ask.get(result["sample"])
    assert image.content == stored(api, got["id"])
    assert image.headers["content-type"] == "image/png"


def test_blackforest_edits_with_a_mask(api: Api, blackforest: Call) -> None:
    picture = encoded(photo(width=256, height=256))
    mask = encoded(photo(width=256, height=256, colour="white"))
    got = blackforest("flux-pro-1.0-fill", prompt="Turn red into blue", image=picture, mask=mask)
    assert "error" not in got, got
    assert ask.get(got["result"]["sample"]).content == stored(api, got["id"])
    roles = api.portal.query(
        "SELECT role FROM editor_jobimage WHERE job_id = %s ORDER BY position", got["id"]
    )
    assert roles == [("source",), ("mask",)]


def test_blackforest_runs_out_of_retries_on_a_moderated_result(blackforest: Call) -> None:
    """It knows no final status but Ready."""
    got = blackforest("flux-kontext-pro", prompt="a quiet harbour [moderate]", retries=2)
    assert "exceeded maximum retries" in got["error"]


@pytest.mark.parametrize(
    ("by", "inputs", "message"),
    [
        ("bfl", {"aspect_ratio": "7:5"}, "422 Client Error"),
        ("poor", {}, "402 Client Error"),
        ("bfl_slow", {}, "429 Client Error"),
    ],
)
def test_blackforest_reports_why_a_request_was_refused(
    api: Api, blackforest: Call, keys: dict[str, str], by: str, inputs: dict[str, Any], message: str
) -> None:
    for _ in range(2 if by == "bfl_slow" else 0):
        ask.get(f"{api.portal.url}/v1/credits", headers={"x-key": keys["bfl_slow"]})
    before = jobs(api)
    got = blackforest("flux-kontext-pro", by=by, **{"prompt": "a quiet harbour"} | inputs)
    assert message in got["error"]
    assert jobs(api) == before
