"""Headers of all responses, authentication, and the models that the API lists."""

from __future__ import annotations

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from editor.access.actor import Actor
from editor.compat.openai import views
from editor.concurrency.threads import in_thread
from editor.models import Job, ModelAlias
from editor.operations import api_keys
from tests.compat.openai.calls import PICTURE, edit, error, generate, rows


async def test_each_response_has_openais_headers(client: httpx.AsyncClient) -> None:
    answers = [await client.get("models"), await client.get("models", headers={"authorization": "Bearer no"})]
    assert [answer.status_code for answer in answers] == [200, 401]
    names = {answer.headers["x-request-id"] for answer in answers}
    assert len(names) == 2
    assert all(name.startswith("req_") for name in names)
    for answer in answers:
        assert answer.headers["openai-version"] == "2020-10-01"
        assert int(answer.headers["openai-processing-ms"]) >= 0
    good = answers[0].headers
    assert (good["x-ratelimit-limit-requests"], good["x-ratelimit-remaining-requests"]) == ("60", "59")
    assert 0 <= int(good["x-ratelimit-reset-requests"].removesuffix("s")) <= 60


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "images/variations", 404),
        ("GET", "images/generations", 405),
        ("GET", "images/edits", 405),
        ("POST", "images/", 404),
        ("POST", "models", 405),
        ("DELETE", "models/gpt-image-2", 405),
        ("GET", "models/", 404),
        ("GET", "modelsandmore", 404),
    ],
)
async def test_unknown_paths_and_methods_are_refused_in_openais_envelope(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert error(answer) == (status, None, None)


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic eDp5"])
async def test_a_valid_key_is_required(client: httpx.AsyncClient, authorization: str) -> None:
    answer = await generate(client, headers={"authorization": authorization})
    assert error(answer) == (401, "invalid_api_key", None)
    assert await rows(Job) == []


async def test_a_key_needs_the_scope(client: httpx.AsyncClient, actor: Actor) -> None:
    def make(scope: str) -> dict[str, str]:
        key = api_keys.create(actor=actor, name=scope, scopes=[f"image_editor:{scope}"])[1]
        return {"authorization": f"Bearer {key}"}

    reader, writer = await in_thread(make, "read"), await in_thread(make, "write")
    assert error(await generate(client, headers=reader))[0] == 403
    assert error(await edit(client, PICTURE, headers=reader))[0] == 403
    assert error(await client.get("models", headers=writer))[0] == 403
    assert (await client.get("models", headers=reader)).status_code == 200
    assert await rows(Job) == []


async def test_models_are_aliases_tiers_and_catalog_models(client: httpx.AsyncClient) -> None:
    def add() -> None:
        ModelAlias.objects.create(name="our-own", target="pro")
        ModelAlias.objects.create(name="left-over", target="vendor/gone")

    await in_thread(add)
    listed = (await client.get("models")).json()
    names = [row["id"] for row in listed["data"]]
    assert listed["object"] == "list"
    assert {"our-own", "standard", "black-forest-labs/flux-2-pro"} <= set(names)
    assert "left-over" not in names
    assert all(set(row) == {"id", "object", "created", "owned_by"} for row in listed["data"])
    one = (await client.get("models/black-forest-labs%2Fflux-2-pro")).json()
    assert one in listed["data"]
    assert (one["object"], one["owned_by"]) == ("model", "Black Forest Labs")


async def test_the_number_of_queries_does_not_depend_on_the_number_of_aliases(
    client: httpx.AsyncClient, actor: Actor
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            views._models(actor)
        return len(queries)

    before = await in_thread(count)
    await in_thread(
        lambda: ModelAlias.objects.bulk_create(ModelAlias(name=f"a{n}", target="pro") for n in range(30))
    )
    assert await in_thread(count) == before


@pytest.mark.parametrize("name", ["nothing", "left-over", "x" * 500, "gpt image", "öl"])
async def test_an_unknown_model_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    await in_thread(ModelAlias.objects.create, name="left-over", target="vendor/gone")
    assert error(await client.get(f"models/{name}")) == (404, "model_not_found", "model")
    assert error(await generate(client, model=name)) == (404, "model_not_found", "model")
    assert await rows(Job) == []


@pytest.mark.parametrize(
    ("name", "model", "tier"),
    [
        ("our-own", "black-forest-labs/flux-kontext-max", "pro"),
        ("by-model", "black-forest-labs/flux-2-pro", ""),
        ("black-forest-labs/flux-2-pro", "black-forest-labs/flux-2-pro", ""),
        ("pro", "black-forest-labs/flux-kontext-max", "pro"),
        ("", "black-forest-labs/flux-kontext-pro", "standard"),
        (None, "black-forest-labs/flux-kontext-pro", "standard"),
        # The tier's own model needs an image: this one replaces it.
        ("creative", "black-forest-labs/flux-2-klein-9b", ""),
    ],
)
async def test_a_model_can_be_requested_by_alias_tier_or_id(
    client: httpx.AsyncClient, name: str | None, model: str, tier: str
) -> None:
    def add() -> None:
        ModelAlias.objects.create(name="our-own", target="pro")
        ModelAlias.objects.create(name="by-model", target="black-forest-labs/flux-2-pro")

    await in_thread(add)
    assert (await generate(client, model=name)).status_code == 504
    (job,) = await rows(Job)
    assert (job.channel, job.model, job.tier) == ("openai", model, tier)
