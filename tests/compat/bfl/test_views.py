"""Responses to submits, and authentication."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.compat.bfl import polling, views
from editor.compat.bfl.profile import BODY_LIMIT
from editor.concurrency.threads import in_thread
from editor.models import Image, Job, JobImage, Plan
from editor.net import policy
from editor.operations import api_keys, credits
from tests.compat.bfl.calls import EDIT, submitted
from tests.factories import limit_jobs, photo
from tests.net.fetching import Authority
from tests.patience import PATIENCE, until
from tests.providers.hostile import Write, answers, hostile

PICTURE = base64.b64encode(photo()).decode()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """The certificate authority that the portal trusts for servers on this machine, which it may call."""
    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.pem))
    policy.allow(["127.0.0.1"])
    yield trusted
    policy.allow([])


async def nothing_was_done() -> bool:
    """Whether there is neither a job nor an image."""

    def look() -> bool:
        return not Job.objects.exists() and not Image.objects.exists()

    return await in_thread(look)


# --- Submit -------------------------------------------------------------------------------


async def test_a_submit_is_a_job_of_this_api(client: httpx.AsyncClient, actor: Actor) -> None:
    rendered = await submitted(client, input_image=PICTURE, seed=7)
    job = await in_thread(Job.objects.get)
    address, _, signature = rendered.pop("polling_url").partition("&signature=")
    assert address == f"http://localhost/v1/get_result?id={job.id}"
    assert polling.verify(str(job.id), signature)
    assert rendered == {
        "id": str(job.id),
        "cost": 4,
        "input_mp": 0.01,
        "output_mp": None,
    }
    assert (job.channel, job.model, job.created_by_id) == (
        "bfl",
        "black-forest-labs/flux-kontext-pro",
        actor.user.pk,
    )
    assert (job.inputs["seed"], job.inputs["outputFormat"]) == (7, "png")


async def test_images_and_mask_are_stored_with_the_job(client: httpx.AsyncClient) -> None:
    mask = base64.b64encode(photo(colour="white")).decode()
    body = EDIT | {"image": f"data:image/png;base64,{PICTURE}", "mask": mask}
    answer = await client.post("/v1/flux-pro-1.0-fill", json=body)
    assert answer.status_code == 200, answer.text
    roles = await in_thread(lambda: list(JobImage.objects.values_list("role", flat=True)))
    assert roles == ["source", "mask"]


async def test_a_submit_with_a_webhook_gets_no_polling_url(client: httpx.AsyncClient) -> None:
    rendered = await submitted(client, webhook_url="https://hooks.example/bfl", webhook_secret="s")
    job = await in_thread(Job.objects.get)
    assert rendered == {
        "id": str(job.id),
        "status": "Pending",
        "webhook_url": "https://hooks.example/bfl",
        "cost": 4,
        "input_mp": 0.0,
        "output_mp": None,
    }
    assert (job.callback_url, job.origin) == ("https://hooks.example/bfl", "http://localhost")
    assert bytes(job.callback_secret or b"") not in (b"", b"s")


@pytest.mark.parametrize(
    ("path", "fields", "status", "detail"),
    [
        ("flux-kontext-pro", {"input_image": "%"}, 400, "input_image: This is neither"),
        ("flux-kontext-pro", {"input_image": "Ynl0ZXM="}, 400, "input_image: "),
        ("flux-kontext-pro", {"input_image": "data:image/png"}, 400, "input_image: The file is empty."),
        ("flux-kontext-pro", {"input_image": "http://127.0.0.1/x.png"}, 400, "input_image: "),
        ("flux-kontext-pro", {"webhook_url": "http://127.0.0.1/"}, 400, "The callback URL"),
        ("flux-1", {}, 404, "Not Found"),
        ("Flux-Kontext-Pro", {}, 404, "Not Found"),
    ],
)
async def test_a_refused_submit_costs_nothing(
    client: httpx.AsyncClient, path: str, fields: dict[str, Any], status: int, detail: str
) -> None:
    answer = await client.post(f"/v1/{path}", json=EDIT | fields)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)
    assert await nothing_was_done()


async def test_an_invalid_mask_is_reported(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/flux-pro-1.0-fill", json=EDIT | {"image": PICTURE, "mask": "%"})
    assert (answer.status_code, answer.json()["detail"][:6]) == (400, "mask: ")
    assert not await in_thread(Job.objects.exists)


@pytest.mark.parametrize("prompt", ["", " ", "x" * 10_001])
async def test_an_invalid_prompt_is_reported_as_a_field(client: httpx.AsyncClient, prompt: str) -> None:
    answer = await client.post("/v1/flux-2-pro", json={"prompt": prompt})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "prompt"])
    assert await nothing_was_done()


async def test_credits_are_checked_before_images(client: httpx.AsyncClient, actor: Actor) -> None:
    await in_thread(credits.adjust, workspace=actor.workspace, amount=-97, actor=None, note="spent")
    answer = await client.post("/v1/flux-kontext-pro", json=EDIT | {"input_image": "%"})
    assert (answer.status_code, answer.json()) == (402, {"detail": "Insufficient credits"})


async def test_too_many_concurrent_jobs_are_refused(client: httpx.AsyncClient, actor: Actor) -> None:
    await in_thread(limit_jobs, actor.workspace, concurrent_jobs=1)
    await submitted(client)
    answer = await client.post("/v1/flux-kontext-pro", json=EDIT)
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("1 edits are queued or running")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_submit_is_a_post(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v1/flux-kontext-pro")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == "POST"


async def test_the_number_of_large_bodies_parsed_at_once_is_limited(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LARGE", 10)
    entered, go_on = threading.Semaphore(0), threading.Event()
    understand = views._understand

    def slow(*args: Any) -> Any:
        entered.release()
        assert go_on.wait(PATIENCE)
        return understand(*args)

    monkeypatch.setattr(views, "_understand", slow)
    calls = [asyncio.create_task(submitted(client)) for _ in range(views.LARGE_AT_ONCE + 3)]
    slots = views._large_slots.get()
    await until(lambda: sum(map(len, slots._waiting.values())) == 3)
    for _ in range(views.LARGE_AT_ONCE):
        assert await asyncio.to_thread(entered.acquire, timeout=PATIENCE)
    assert not entered.acquire(blocking=False)
    go_on.set()
    await asyncio.gather(*calls)


async def test_large_bodies_do_not_wait_for_downloads_of_other_requests(
    client: httpx.AsyncClient, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LARGE", 10)
    more = asyncio.Event()

    async def slow(writer: Write) -> None:
        await more.wait()
        await answers(photo(), content_type="image/png")(writer)

    async with hostile(slow, tls=authority.server("127.0.0.1")) as server:
        calls = [
            asyncio.create_task(submitted(client, input_image=server.url)) for _ in range(views.LARGE_AT_ONCE)
        ]
        async with asyncio.timeout(PATIENCE):
            while len(server.requests) < views.LARGE_AT_ONCE:
                await asyncio.sleep(0.01)
            await submitted(client, input_image=PICTURE)
        more.set()
        for rendered in await asyncio.gather(*calls):
            assert rendered["input_mp"] == 0.01


async def test_uploaded_and_linked_images_keep_their_order(
    client: httpx.AsyncClient, authority: Authority
) -> None:
    picture = answers(photo(), content_type="image/png")
    async with hostile(picture, tls=authority.server("127.0.0.1")) as server:
        fields = {
            "input_image": PICTURE,
            "input_image_2": f"{server.url}/2.png",
            "input_image_3": PICTURE,
            "input_image_4": f"{server.url}/4.png",
        }
        answer = await client.post("/v1/flux-2-pro", json=EDIT | fields)
    assert answer.status_code == 200, answer.text

    def names() -> list[str]:
        places = JobImage.objects.select_related("image").order_by("position")
        return [place.image.original_name for place in places]

    assert await in_thread(names) == ["image", "2.png", "image", "4.png"]


async def test_a_body_beyond_the_limit_is_not_read(client: httpx.AsyncClient) -> None:
    long = {"content-length": str(BODY_LIMIT + 1)}
    answer = await client.post("/v1/flux-2-pro", content=b"x", headers=long)
    assert (answer.status_code, answer.json()) == (
        413,
        {"detail": "The request body is too large: at most 64 MiB is allowed."},
    )


# --- Keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "detail"),
    [
        ({}, 403, "Not authenticated"),
        ({"x-key": "0000-1111"}, 422, "Invalid API key format"),
        ({"x-key": "flk_" + "a" * 46}, 403, "Not authenticated - Invalid Authentication"),
        ({"authorization": "Bearer flk_x"}, 403, "Not authenticated"),
    ],
)
async def test_authentication_errors_match_bfls(
    anybody: httpx.AsyncClient, committed: None, headers: dict[str, str], status: int, detail: str
) -> None:
    for call in (
        anybody.post("/v1/flux-kontext-pro", json=EDIT, headers=headers),
        anybody.get("/v1/credits", headers=headers),
    ):
        answer = await call
        assert (answer.status_code, answer.json()) == (status, {"detail": detail})


async def test_each_call_needs_its_scope(anybody: httpx.AsyncClient, actor: Actor) -> None:
    def make(scope: str) -> str:
        return api_keys.create(actor=actor, name=scope, scopes=[scope])[1]

    reader, writer = await in_thread(make, READ), await in_thread(make, WRITE)
    refused = await anybody.post("/v1/flux-kontext-pro", json=EDIT, headers={"x-key": reader})
    assert refused.status_code == 403
    assert READ.replace("read", "write") in refused.json()["detail"]
    anybody.headers["x-key"] = writer
    rendered = await submitted(anybody)
    assert (await anybody.get("/v1/credits")).status_code == 403
    assert (await anybody.get("/v1/get_result", params={"id": rendered["id"]})).status_code == 403
    # The polling URL is authorized by its signature.
    assert (await anybody.get(rendered["polling_url"])).status_code == 200


async def test_the_credits_are_the_workspaces(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/credits")).json() == {"credits": 100}
    await submitted(client)
    assert (await client.get("/v1/credits")).json() == {"credits": 96}


async def test_the_rate_limit_is_reported(client: httpx.AsyncClient, actor: Actor) -> None:
    def limit() -> None:
        actor.workspace.plan = Plan.objects.create(name="Small", requests_per_minute=1)
        actor.workspace.save(update_fields=["plan"])

    await in_thread(limit)
    rendered = await submitted(client)
    refused = await client.post("/v1/flux-kontext-pro", json=EDIT)
    assert refused.status_code == 429
    assert "allows 1 requests per minute" in refused.json()["detail"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await client.get(rendered["polling_url"])).status_code == 200  # polls have a limit of their own
