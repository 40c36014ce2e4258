"""What comes to the door, and what goes out of it, but for the images themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image as Picture

from editor.access.actor import Actor
from editor.compat.openai import answers, edits
from editor.db import in_thread
from editor.gate import waiting
from editor.models import Image, Job, JobImage, ModelAlias
from editor.operations import api_keys, credits, jobs
from tests.factories import limit_jobs, make_actor, photo
from tests.media.test_masks import png, with_hole

FORM = {"content-type": "multipart/form-data; boundary=b"}
SQUARE_MASK = png(with_hole().resize((64, 64)))  # the image is none
PICTURE = ("image", ("a.png", photo(), "image/png"))


@pytest.fixture(autouse=True)
def short_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here: nothing ends."""
    monkeypatch.setattr(edits, "LONGEST_HOLD", 0.1)


async def generate(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    return await client.post("images/generations", json={"prompt": "a chair", **fields}, headers=headers)


async def edit(client: httpx.AsyncClient, *files: Any, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    return await client.post(
        "images/edits", data={"prompt": "blue", **fields}, files=list(files), headers=headers
    )


def error(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    found = answer.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return answer.status_code, found["code"], found["param"]


async def rows(model: Any) -> list[Any]:
    return await in_thread(lambda: list(model.objects.all()))


# ── What every answer carries ────────────────────────────────────────────────────────────────────


async def test_each_answer_has_openais_headers(client: httpx.AsyncClient) -> None:
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
async def test_other_addresses_and_methods_are_refused_in_openais_envelope(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert error(answer) == (status, None, None)


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic eDp5"])
async def test_without_a_key_nothing_is_done(client: httpx.AsyncClient, authorization: str) -> None:
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


# ── Models ───────────────────────────────────────────────────────────────────────────────────────


async def test_models_are_aliases_tiers_and_the_catalogues(client: httpx.AsyncClient) -> None:
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


async def test_models_take_the_same_number_of_queries_for_any_number_of_aliases(
    client: httpx.AsyncClient, actor: Actor
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from editor.compat.openai import views

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
        # The tier's own model needs an image: this one stands in.
        ("creative", "black-forest-labs/flux-2-klein-9b", ""),
    ],
)
async def test_a_model_has_many_names(
    client: httpx.AsyncClient, name: str | None, model: str, tier: str
) -> None:
    def add() -> None:
        ModelAlias.objects.create(name="our-own", target="pro")
        ModelAlias.objects.create(name="by-model", target="black-forest-labs/flux-2-pro")

    await in_thread(add)
    assert (await generate(client, model=name)).status_code == 504
    (job,) = await rows(Job)
    assert (job.door, job.model, job.tier) == ("openai", model, tier)


# ── What is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"prompt": ""}, "missing_required_parameter", "prompt"),
        ({"prompt": "x" * 40_000}, "invalid_value", "prompt"),
        ({"n": 2}, "invalid_value", "n"),
        ({"size": "huge"}, "invalid_value", "size"),
        ({"size": "4096x4096", "model": "black-forest-labs/flux-2-pro"}, "invalid_value", "size"),
        ({"output_format": "webp"}, "invalid_value", "output_format"),
        ({"seed": "tomorrow"}, "invalid_value", "seed"),
        ({"model": "black-forest-labs/flux-fill"}, "invalid_value", "image"),
    ],
)
async def test_a_wrong_request_costs_nothing(
    client: httpx.AsyncClient, actor: Actor, fields: dict[str, Any], code: str, param: str
) -> None:
    answer = await generate(client, **fields)
    assert error(answer) == (400, code, param)
    assert answer.headers["x-should-retry"] == "false"
    assert await rows(Job) == []
    account = await in_thread(credits.open_account, workspace=actor.workspace)
    assert (account.balance, account.held) == (100, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"prompt": NaN}', b'{"prompt": "a\\u0000b"}', b"\xff"])
async def test_a_body_that_is_no_object_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    assert error(await client.post("images/generations", content=body)) == (400, "invalid_value", None)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b'{"prompt": "x"}'),
        ({"content-type": "multipart/form-data"}, b""),
        (FORM, b"--b\r\nnonsense"),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\x00b\r\n--b--\r\n'),
        ({}, b""),
    ],
)
async def test_a_form_that_is_none_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes
) -> None:
    assert (await client.post("images/edits", content=body, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    ("files", "fields", "code", "param"),
    [
        ([("other", ("a.png", photo(), "image/png"))], {}, "missing_required_parameter", "image"),
        ([("x", ("a.png", photo(), "image/png"))], {"image": "a.png"}, "invalid_value", "image"),
        ([("image", ("a.png", b"", "image/png"))], {}, "invalid_image_file", "image"),
        ([("image", ("a.png", b"GIF?", "image/png"))], {}, "invalid_image_file", "image"),
        ([PICTURE] * 17, {}, "invalid_value", "image"),
        ([PICTURE] * 2, {}, "invalid_value", "image"),
        ([PICTURE, ("markup", ("a.png", photo(), "image/png"))], {}, "invalid_value", "markup"),
        ([PICTURE, ("mask", ("a.png", photo(), "image/png"))], {}, "invalid_image_file", "mask"),
        ([PICTURE, ("mask", ("a.png", SQUARE_MASK, "image/png"))], {}, "invalid_image_file", "mask"),
        ([PICTURE], {"prompt": " "}, "missing_required_parameter", "prompt"),
        ([PICTURE], {"background": "transparent"}, "invalid_value", "background"),
    ],
)
async def test_a_wrong_edit_costs_nothing(
    client: httpx.AsyncClient, files: list[Any], fields: dict[str, str], code: str, param: str
) -> None:
    assert error(await edit(client, *files, **fields)) == (400, code, param)
    assert await rows(Job) == []


async def test_images_are_not_looked_at_before_all_else_is_right(client: httpx.AsyncClient) -> None:
    assert error(await edit(client, PICTURE, n="2"))[2] == "n"
    assert error(await edit(client, PICTURE, PICTURE))[2] == "image"
    assert await rows(Image) == []


async def test_an_image_has_at_most_25_mib(client: httpx.AsyncClient) -> None:
    large = ("image", ("a.png", photo() + b"\0" * 25 * 1024 * 1024, "image/png"))
    answer = await edit(client, large)
    assert error(answer) == (400, "invalid_image_file", "image")
    assert "Image 1: The file has 25.0 MiB" in answer.json()["error"]["message"]


async def test_a_body_has_at_most_128_mib(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "images/edits", content=b"", headers=FORM | {"content-length": str(128 * 1024 * 1024 + 1)}
    )
    assert answer.status_code == 413


async def test_without_credits_clients_do_not_try_again(client: httpx.AsyncClient, actor: Actor) -> None:
    await in_thread(credits.adjust, workspace=actor.workspace, amount=-97, actor=actor.user, note="spent")
    for answer in (await generate(client), await edit(client, PICTURE)):
        assert error(answer) == (429, "insufficient_quota", None)
        assert answer.headers["x-should-retry"] == "false"
    assert await rows(Image) == []


async def test_with_too_many_jobs_clients_wait(client: httpx.AsyncClient, actor: Actor) -> None:
    await in_thread(limit_jobs, actor.workspace, concurrent_jobs=1)
    await generate(client)
    answer = await generate(client)
    assert error(answer) == (429, "rate_limit_exceeded", None)
    assert int(answer.headers["retry-after"]) > 0
    assert "x-should-retry" not in answer.headers


# ── What becomes a job ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]"])
async def test_images_keep_their_order_and_the_mask_is_turned_round(
    client: httpx.AsyncClient, name: str
) -> None:
    mask = Picture.new("RGBA", (96, 64), (9, 9, 9, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 48, 64))
    await edit(
        client,
        ("mask", ("m.png", png(mask), "image/png")),
        *(
            (name, (f"{n}.png", photo(colour=colour), "image/png"))
            for n, colour in enumerate(("red", "blue"))
        ),
        model="openai/gpt-image-2.6-flare",
    )
    (job,) = await rows(Job)

    def told() -> list[tuple[str, str]]:
        places = JobImage.objects.filter(job=job).select_related("image").order_by("position")
        return [(place.role, place.image.original_name) for place in places]

    places = await in_thread(told)
    assert [name for _, name in places[:2]] == ["0.png", "1.png"]
    assert places[2][0] == JobImage.Role.MASK

    def stored() -> list[Any]:
        from io import BytesIO

        from editor.media import store

        image = JobImage.objects.select_related("image").get(job=job, role=JobImage.Role.MASK).image
        with Picture.open(BytesIO(store.read(image.storage_name))) as ours:
            return [ours.getpixel((0, 0)), ours.getpixel((95, 0))]

    assert await in_thread(stored) == [255, 0]


async def test_a_form_may_come_in_chunks(client: httpx.AsyncClient) -> None:
    built = client.build_request("POST", "images/edits", data={"prompt": "blue"}, files=[PICTURE])

    async def chunks() -> AsyncIterator[bytes]:
        yield built.read()

    answer = await client.post(
        "images/edits", content=chunks(), headers={"content-type": built.headers["content-type"]}
    )
    assert answer.status_code == 504, answer.text


async def test_a_job_that_takes_too_long_goes_on_and_is_named(client: httpx.AsyncClient) -> None:
    answer = await generate(client)
    (job,) = await rows(Job)
    assert error(answer) == (504, "timeout", None)
    assert str(job.id) in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert job.is_live


async def test_the_same_request_with_the_same_key_is_the_same_job(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    for _ in range(2):
        answer = await edit(client, PICTURE, headers=headers)
        # It may be sent again: it waits for the job that there is.
        assert (answer.status_code, answer.headers.get("x-should-retry")) == (504, None)
    assert len(await rows(Job)) == 1
    assert len(await rows(Image)) == 1
    other = await edit(client, PICTURE, prompt="red", headers=headers)
    assert error(other)[0] == 422
    assert error(await generate(client, headers=headers))[0] == 422
    assert error(await generate(client, headers={"idempotency-key": "k" * 81}))[0] == 400


async def test_a_repeat_of_what_failed_does_not_ask_for_another(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    await generate(client, headers=headers)
    (job,) = await rows(Job)
    await in_thread(jobs.end_failed, job=job, code="unavailable", message="Away.")
    answer = await generate(client, headers=headers)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")


async def test_a_request_that_a_client_sends_again_is_the_same_job(client: httpx.AsyncClient) -> None:
    first, again = {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "1"}
    assert "x-should-retry" not in (await edit(client, PICTURE, headers=first)).headers
    await edit(client, PICTURE, headers=again)
    assert len(await rows(Job)) == 1
    await edit(client, PICTURE, prompt="red", headers=again)
    await edit(client, PICTURE, headers=first)
    assert len(await rows(Job)) == 3


async def test_what_failed_and_is_sent_again_is_a_new_job(client: httpx.AsyncClient) -> None:
    await generate(client)
    (job,) = await rows(Job)
    await in_thread(jobs.end_failed, job=job, code="unavailable", message="Away.")
    await generate(client, headers={"x-stainless-retry-count": "1"})
    assert len(await rows(Job)) == 2


async def test_another_workspaces_key_starts_its_own(client: httpx.AsyncClient) -> None:
    def other() -> str:
        return api_keys.create(actor=make_actor(name="Rivals"), name="script")[1]

    key = await in_thread(other)
    headers = {"idempotency-key": "k-1"}
    await generate(client, headers=headers)
    await generate(client, headers=headers | {"authorization": f"Bearer {key}"})
    assert len({job.workspace_id for job in await rows(Job)}) == 2


# ── Streams ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_quiet_stream_is_kept_open_and_tells_of_a_failure(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "QUIET", 0.02)
    await generate(client)
    (job,) = await rows(Job)
    stream = answers.events(job, kind="image_generation")
    assert await anext(stream) == b": still at work\n\n"
    await in_thread(jobs.end_failed, job=job, code="moderated", message="No.")
    last = [part async for part in stream if not part.startswith(b":")]
    name, data = last[0].decode().strip().split("\n")
    assert (len(last), name) == (1, "event: error")
    assert json.loads(data.removeprefix("data: "))["error"]["code"] == "moderation_blocked"


async def test_a_stream_ends_with_the_portal(client: httpx.AsyncClient) -> None:
    await generate(client)
    (job,) = await rows(Job)
    stream = answers.events(job, kind="image_generation")
    waiting.let_go()
    parts = [part async for part in stream]
    assert b"still running" in parts[-1]


async def test_a_stream_that_cannot_start_is_an_error_of_its_own(client: httpx.AsyncClient) -> None:
    assert error(await generate(client, stream=True, n=2)) == (400, "invalid_value", "n")
