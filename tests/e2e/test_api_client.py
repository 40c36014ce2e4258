"""The public API's whole document, exercised by a client that was written from it alone."""

from __future__ import annotations

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import ask
from tests.e2e.api import EMAIL, PICTURE, STANDARD, Api
from tests.e2e.conftest import ContextMaker
from tests.e2e.seed_client import LIMITS, Refused, SeedClient
from tests.e2e.test_pages import sign_in
from tests.factories import photo

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TYPES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
ALLOWED = {
    "openai": {"pro", "standard"},
    "google": {"pro"},
    "fal": {"pro", "standard", "creative"},
    "kie": {"pro", "standard", "creative"},
}
COMBINATIONS = [(name, tier) for name in ALLOWED for tier in ("pro", "standard", "creative")]


@pytest.fixture(scope="module")
def client(api: Api) -> SeedClient:
    return api.client()


def picture(url: str) -> Image.Image:
    """The image that a browser without a key gets at this URL."""
    answer = ask.get(url)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def test_a_key_created_in_the_browser_works_for_all_calls(api: Api, new_context: ContextMaker) -> None:
    page = new_context()
    sign_in(page, api.portal, EMAIL)
    page.goto(f"{api.portal.url}/w/fresh/settings/api-keys/")
    page.get_by_label("Name").fill("script")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    key = page.locator("#made-key-text").inner_text()
    assert key.startswith("flk_")
    client = SeedClient(api.portal.url, key)
    with client.http:
        _upload_edit_chain_and_list(client)


def _upload_edit_chain_and_list(client: SeedClient) -> None:
    estimate = client.estimate(model_tier="standard")
    drawn = client.process(prompt="a quiet harbour", model_tier="standard")
    image_id = client.upload(PICTURE)
    edited = client.process(prompt="make it brighter", model_tier="standard", image_id=image_id)
    chained = client.process(prompt="turn it left", model_tier="standard", image_id=edited["result_image_id"])
    assert client.job(edited["job_id"])["image_id"] == image_id
    assert client.job(chained["job_id"])["image_id"] == edited["result_image_id"]
    assert [job["job_id"] for job in client.jobs()] == [
        chained["job_id"],
        edited["job_id"],
        drawn["job_id"],
    ]
    spent = sum(job["credits_consumed"] for job in (drawn, edited, chained))
    left = client.estimate(model_tier="standard")["available_credits"]
    assert estimate["available_credits"] - left == spent == 3 * STANDARD


def test_an_upload_link_has_the_documented_fields(client: SeedClient) -> None:
    link = client.upload_url(file_name="cat.png", mime_type="image/png", file_size=len(PICTURE))
    assert set(link) == {"image_id", "upload_url", "public_url", "expires_in"}
    UUID(link["image_id"])
    assert link["expires_in"] == 3600
    assert urlsplit(link["public_url"]).scheme == "http"
    refused = client.put(link["upload_url"], PICTURE, "image/jpeg")
    assert refused.status_code == 403, "another Content-Type than the declared one"
    assert client.put(link["upload_url"], PICTURE, "image/png").status_code == 200
    client.process(prompt="brighter", model_tier="standard", image_id=link["image_id"])
    assert picture(link["public_url"]).size == (96, 64)


@pytest.mark.parametrize("mime_type", TYPES)
def test_each_type_of_file_can_be_edited(client: SeedClient, mime_type: str) -> None:
    image_id = client.upload(photo(format=TYPES[mime_type]), file_name="x" * 255, mime_type=mime_type)
    done = client.process(prompt="brighter", model_tier="creative", image_id=image_id)
    assert picture(done["result_url"]).size[0] >= 96


def test_process_returns_the_finished_image(client: SeedClient) -> None:
    done = client.process(prompt="[slow:2] a quiet harbour", model_tier="pro")
    assert done["status"] == "completed", "the call is kept open until the image is there"
    assert UUID(done["job_id"]) != UUID(done["result_image_id"])
    assert done["model_tier"] == "pro"
    assert done["provider_used"] == "system"
    assert done["credits_consumed"] == 8
    assert MOMENT.fullmatch(done["created_at"])
    assert MOMENT.fullmatch(done["completed_at"])
    took = datetime.fromisoformat(done["completed_at"]) - datetime.fromisoformat(done["created_at"])
    assert abs(took.total_seconds() * 1000 - done["processing_ms"]) <= 1
    assert picture(done["result_url"]).size == (1024, 1024)


@pytest.mark.parametrize("tier", ["pro", "standard"])
def test_a_prompt_of_ten_thousand_characters_is_accepted(client: SeedClient, tier: str) -> None:
    prompt = ("a quiet harbour at dawn " * 500)[:9_999] + "."
    done = client.process(prompt=prompt, model_tier=tier)
    assert (done["model_tier"], client.job(done["job_id"])["prompt"]) == (tier, prompt)


def test_an_image_is_fetched_from_its_https_url(api: Api, client: SeedClient) -> None:
    for url in (f"{api.pictures}/cat.png", f"{api.pictures}/".ljust(2000, "x")):
        done = client.process(prompt="turn it left", model_tier="standard", image_url=url)
        width, height = picture(done["result_url"]).size
        assert width < height, "the fetched picture is wide, and was turned"


def test_the_image_id_takes_precedence_over_the_url(client: SeedClient) -> None:
    image_id = client.upload(PICTURE)
    done = client.process(
        prompt="brighter", model_tier="standard", image_id=image_id, image_url="http://127.0.0.1:1/no"
    )
    assert client.job(done["job_id"])["image_id"] == image_id


def test_a_style_of_the_system_or_the_workspace_is_applied(api: Api, client: SeedClient) -> None:
    own = str(uuid4())
    ((system, message),) = api.portal.query("SELECT id::text, prompt FROM editor_style LIMIT 1")
    api.portal.query(
        "INSERT INTO editor_style (id, created_at, workspace_id, name, prompt, preview, position, version) "
        "SELECT %s, now(), id, 'Own look', 'in our own look', '', 0, 1 FROM editor_workspace "
        "WHERE slug = 'acme-studio' RETURNING id",
        own,
    )
    for style_id, added in ((system, message), (own, "in our own look")):
        done = client.process(prompt="a quiet harbour", model_tier="standard", style_id=style_id)
        assert client.job(done["job_id"])["style_id"] == style_id
        sent = api.portal.query("SELECT sent_prompt FROM editor_job WHERE id = %s", done["job_id"])
        assert added.strip(" .") in sent[0][0]


def test_a_character_adds_its_images(api: Api, client: SeedClient) -> None:
    face = client.process(prompt="a face", model_tier="standard")["result_image_id"]
    character_id = str(uuid4())
    api.portal.query(
        "INSERT INTO editor_character (id, created_at, workspace_id, name, description, version) "
        "SELECT %s, now(), id, 'Ada', 'warm', 1 FROM editor_workspace "
        "WHERE slug = 'acme-studio' RETURNING id",
        character_id,
    )
    api.portal.query(
        "INSERT INTO editor_characterimage (character_id, image_id, position) VALUES (%s, %s, 1) RETURNING 1",
        character_id,
        face,
    )
    done = client.process(prompt="brighter", model_tier="standard", character_id=character_id)
    assert client.job(done["job_id"])["character_id"] == character_id
    used = "SELECT image_id::text FROM editor_jobimage WHERE job_id = %s AND role = 'character'"
    assert api.portal.query(used, done["job_id"]) == [(face,)]


@pytest.mark.parametrize("tier", ["pro", "standard", "creative"])
@pytest.mark.parametrize("provider", ["platform", *ALLOWED])
def test_a_prompt_alone_is_enough(client: SeedClient, provider: str, tier: str) -> None:
    if tier in ALLOWED.get(provider, {tier}):
        done = client.process(prompt="a quiet harbour", model_tier=tier, provider=provider)
        assert (done["status"], done["model_tier"]) == ("completed", tier)
        most = client.estimate(model_tier=tier, provider=provider)["estimated_credits"]
        assert done["credits_consumed"] <= most


@pytest.mark.parametrize(("provider", "tier"), COMBINATIONS)
def test_own_keys_serve_the_documented_tiers(client: SeedClient, provider: str, tier: str) -> None:
    if tier in ALLOWED[provider]:
        estimate = client.estimate(model_tier=tier, provider=provider)
        assert (estimate["estimated_credits"], estimate["byok_skips_credits"]) == (0, True)
        assert (estimate["can_proceed"], estimate["provider"]) == (True, provider)
    else:
        for call, more in ((client.process, {"prompt": "a harbour"}), (client.estimate, {})):
            with pytest.raises(Refused, match="400"):
                call(model_tier=tier, provider=provider, **more)


def test_an_edit_on_an_own_key_uses_its_provider_and_costs_nothing(api: Api, client: SeedClient) -> None:
    before = client.estimate(model_tier="pro")["available_credits"]
    earlier = {name: len(emulator.tasks) for name, emulator in api.emulators.items()}
    image_id = client.upload(PICTURE)
    client.process(prompt="brighter", model_tier="creative", image_id=image_id)  # the upload becomes an image

    def run(combination: tuple[str, str]) -> dict[str, Any]:
        provider, tier = combination
        return client.process(prompt="brighter", model_tier=tier, provider=provider, image_id=image_id)

    allowed = [(provider, tier) for provider, tier in COMBINATIONS if tier in ALLOWED[provider]]
    with ThreadPoolExecutor(len(allowed)) as pool:
        done = list(pool.map(run, allowed))
    assert [(job["provider_used"], job["model_tier"]) for job in done] == allowed
    assert {job["credits_consumed"] for job in done} == {0}
    for name, emulator in api.emulators.items():
        assert len(emulator.tasks) - earlier[name] == len(ALLOWED[name]), name
    paid = before - client.estimate(model_tier="pro")["available_credits"]
    assert paid == client.estimate(model_tier="creative")["estimated_credits"], (
        "for the platform's edit alone"
    )


@pytest.mark.parametrize(("tier", "credits"), [("pro", 8), ("standard", 4), ("creative", 2)])
def test_an_estimate_is_the_most_that_a_call_costs(client: SeedClient, tier: str, credits: int) -> None:
    estimate = client.estimate(model_tier=tier, provider="platform")
    assert estimate == client.estimate(model_tier=tier), "platform is the default"
    done = client.process(prompt="brighter", model_tier=tier, image_id=client.upload(PICTURE))
    assert estimate["estimated_credits"] == credits >= done["credits_consumed"] > 0
    assert client.job(done["job_id"])["credits_consumed"] == done["credits_consumed"]
    left = client.estimate(model_tier=tier)["available_credits"]
    assert left == estimate["available_credits"] - done["credits_consumed"]
    assert (estimate["model_tier"], estimate["provider"]) == (tier, "platform")
    assert (estimate["can_proceed"], estimate["byok_skips_credits"]) == (True, False)
    assert estimate["is_exact"] is False


def test_an_estimate_reports_insufficient_credits(api: Api) -> None:
    estimate = api.client("poor").estimate(model_tier="standard")
    assert (estimate["available_credits"], estimate["can_proceed"]) == (STANDARD - 1, False)


def test_jobs_are_listed_in_pages_newest_first(api: Api) -> None:
    client = api.client("listed")
    done = client.process(prompt="a quiet harbour", model_tier="standard")
    with pytest.raises(Refused):
        client.process(prompt="[moderate] a quiet harbour", model_tier="standard")
    older = api.portal.query(
        "INSERT INTO editor_job SELECT (jsonb_populate_record(job, jsonb_build_object('id', "
        "gen_random_uuid(), 'number', nextval('editor_job_number'), "
        "'created_at', job.created_at - age * interval '1 minute'))).* "
        "FROM editor_job job, generate_series(1, 120) age WHERE job.id = %s RETURNING id::text",
        done["job_id"],
    )
    newest, second, *rest = (job["job_id"] for job in client.jobs())
    assert (second, rest) == (done["job_id"], [row[0] for row in older[:48]]), "50 of page 1 by default"
    assert [job["job_id"] for job in client.jobs(page=2)] == [row[0] for row in older[48:98]]
    assert len(client.jobs(per_page=100)) == 100
    assert [job["job_id"] for job in client.jobs(page=2, per_page=1)] == [second]
    assert client.jobs(page=4) == []
    assert [job["job_id"] for job in client.jobs(status="failed")] == [newest]
    assert len(client.jobs(status="completed", page=2, per_page=100)) == 21
    assert client.jobs(status="pending") == client.jobs(status="processing") == []


def test_a_job_is_returned_with_all_fields(client: SeedClient) -> None:
    done = client.process(prompt="a quiet harbour", model_tier="standard")
    job = client.job(done["job_id"])
    assert {name: job[name] for name in done} == done
    expected: dict[str, Any] = {"error": None, "style_id": None, "image_id": None}
    assert {name: job[name] for name in expected} == expected
    with pytest.raises(Refused) as refused:
        client.process(prompt="[fail] a quiet harbour", model_tier="standard")
    failed = client.job(refused.value.answer.json()["job_id"])
    assert (failed["status"], failed["result_url"]) == ("failed", None)
    assert "failed, as [fail] asked" in failed["error"]


def test_every_response_has_the_rate_limit_headers(api: Api) -> None:
    client = api.client("counted")
    began = time.time()
    answers = [
        client.http.get("/jobs"),
        client.http.post("/estimate-credits", json={"model_tier": "standard"}),
        client.http.post("/upload-url", json={"file_name": "x", "mime_type": "image/png"}),
        client.http.post("/process", json={"prompt": "a harbour", "model_tier": "standard"}),
        client.http.get(f"/jobs/{uuid4()}"),
        client.http.post("/process", json={}),
        client.http.post("/process", content="{"),
        client.http.get("/nowhere"),
        client.http.delete("/jobs"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 201, 201, 404, 400, 400, 404, 405]
    reported = [[int(answer.headers[name]) for name in LIMITS] for answer in answers]
    assert [limit for limit, _, _ in reported] == [50] * 9
    assert [left for _, left, _ in reported] == list(range(49, 40, -1))
    assert all(began < reset <= time.time() + 61 for _, _, reset in reported)
