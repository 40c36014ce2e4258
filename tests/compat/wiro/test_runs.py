"""Runs and uploads over HTTP, and their errors."""

from __future__ import annotations

import asyncio
import io
from typing import Any
from uuid import UUID

import httpx
import pytest

from editor.access.actor import Actor
from editor.compat.wiro.profile import BODY_LIMIT
from editor.concurrency.threads import in_thread
from editor.media.inputs import File
from editor.models import CreditAccount, Image, Job, JobImage
from editor.operations import credits, intake
from editor.operations.intake import Submission
from editor.operations.jobs import NewEdit
from editor.representations import wiro
from tests.compat.wiro.runs import RUN, run
from tests.factories import limit_jobs, make_actor, make_image, photo


async def image_ids(job: Job) -> list[UUID]:
    return await in_thread(
        lambda: list(JobImage.objects.filter(job=job).order_by("position").values_list("image_id", flat=True))
    )


async def nothing_happened(actor: Actor) -> bool:
    def look() -> bool:
        account = CreditAccount.objects.get(workspace=actor.workspace)
        return not Job.objects.exists() and (account.balance, account.held) == (100, 0)

    return await in_thread(look)


async def test_a_run_makes_a_job(ask: Any, actor: Actor) -> None:
    job = await run(ask, width="512", height=0, seed="7", outputFormat="jpeg")
    assert (job.channel, job.model, job.prompt) == (
        "wiro",
        "black-forest-labs/flux-2-pro",
        "make it black and white",
    )
    assert job.inputs == {
        "width": 512,
        "height": 0,
        "seed": 7,
        "outputFormat": "jpeg",
        "safetyTolerance": 2,
    }
    assert (job.callback_url, job.price, job.created_by_id) == ("", 6, actor.user.pk)


async def test_omitted_fields_have_wiros_defaults(ask: Any) -> None:
    job = await run(ask)
    assert job.inputs == {
        "width": 1024,
        "height": 1024,
        "seed": 123,
        "outputFormat": "png",
        "safetyTolerance": 2,
    }


@pytest.mark.parametrize("kind", ["json", "form", "multipart", "json as multipart"])
async def test_a_body_in_any_format_starts_a_run(client: httpx.AsyncClient, key: str, kind: str) -> None:
    headers, fields = {"x-api-key": key}, {"prompt": "a harbour", "seed": "5"}
    match kind:
        case "json":
            answer = await client.post(RUN, json=fields, headers=headers)
        case "form":
            answer = await client.post(RUN, data=fields, headers=headers)
        case "multipart":
            files = {"inputImage": ("a.png", photo(), "image/png")}
            answer = await client.post(RUN, data=fields, files=files, headers=headers)
        case _:
            headers["content-type"] = "multipart/form-data"
            content = b'{"prompt": "a harbour", "seed": "5"}'
            answer = await client.post(RUN, content=content, headers=headers)
    job = await in_thread(Job.objects.get, number=int(answer.json()["taskid"]))
    assert (job.prompt, job.inputs["seed"]) == ("a harbour", 5)
    assert len(await image_ids(job)) == (1 if kind == "multipart" else 0)


async def test_a_callback_url_is_stored_with_the_job(ask: Any) -> None:
    job = await run(ask, callbackUrl="https://example.com/hook")
    assert (job.callback_url, job.origin) == ("https://example.com/hook", "http://localhost")


async def test_a_callback_to_a_private_address_is_refused(ask: Any, actor: Actor) -> None:
    answer = await ask(RUN, prompt="a harbour", callbackUrl="https://127.0.0.1/hook")
    assert (answer["result"], answer["errors"][0]["code"]) == (False, 0)
    assert await nothing_happened(actor)


async def test_uploads_and_results_are_used_as_images_of_the_workspace(
    ask: Any, client: httpx.AsyncClient, key: str
) -> None:
    files = {"file": ("boat.png", photo(), "image/png")}
    uploaded = (await client.post("File/Upload", files=files, headers={"x-api-key": key})).json()
    (item,) = uploaded["list"]
    assert item["name"] == "boat.png"
    assert all(isinstance(value, str) for value in item.values())
    job = await run(ask, inputImage=[item["url"], item["url"].replace("localhost", "other.example")])
    assert await image_ids(job) == [UUID(item["id"]), UUID(item["id"])]


async def test_a_mask_is_stored_with_its_image(client: httpx.AsyncClient, key: str) -> None:
    files = [
        ("inputImageUrl", ("a.png", photo(), "image/png")),
        ("mask", ("m.png", photo(colour="white"), "image/png")),
    ]
    answer = await client.post(
        "Run/black-forest-labs/flux-fill", data={"prompt": "a hat"}, files=files, headers={"x-api-key": key}
    )
    number = int(answer.json()["taskid"])
    roles = await in_thread(
        lambda: list(JobImage.objects.filter(job__number=number).values_list("role", flat=True))
    )
    assert sorted(roles) == ["mask", "source"]


async def test_a_mask_of_another_workspace_is_refused_before_images_are_stored(
    client: httpx.AsyncClient, key: str, actor: Actor
) -> None:
    def rival() -> str:
        return wiro.upload(make_image(make_actor(name="Rivals")), base_url="http://localhost")["list"][0][
            "url"
        ]

    answer = await client.post(
        "Run/black-forest-labs/flux-fill",
        data={"prompt": "a hat", "mask": await in_thread(rival)},
        files={"inputImageUrl": ("a.png", photo(), "image/png")},
        headers={"x-api-key": key},
    )
    assert answer.json()["errors"] == [{"code": 0, "message": "There is no such image in this workspace."}]
    assert await nothing_happened(actor)
    assert not await in_thread(Image.objects.filter(workspace=actor.workspace).exists)


async def test_a_file_is_not_read_on_the_event_loop(actor: Actor) -> None:
    class Content(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            return super().read(size)

    edit = NewEdit(prompt="a harbour", model="black-forest-labs/flux-2-pro")
    submission = Submission(edit=edit, images=(File("a.png", Content(photo())),))
    job = await intake.submit(actor=actor, submission=submission)
    assert len(await image_ids(job)) == 1


async def test_a_link_of_another_workspace_is_refused(ask: Any, actor: Actor) -> None:
    def rival() -> str:
        return wiro.upload(make_image(make_actor(name="Rivals")), base_url="http://localhost")["list"][0][
            "url"
        ]

    answer = await ask(RUN, prompt="a harbour", inputImage=await in_thread(rival))
    assert answer["errors"] == [{"code": 0, "message": "There is no such image in this workspace."}]
    assert await nothing_happened(actor)


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"prompt": ""}, 0, "Request parameter [prompt] required"),
        ({}, 0, "Request parameter [prompt] required"),
        ({"prompt": "x" * 10_001}, 0, "Request parameter [prompt]: At most 10,000"),
        ({"prompt": "a", "width": 100}, 0, "Request parameter [width]: Enter a whole number"),
        ({"prompt": "a", "seed": "x"}, 0, "Request parameter [seed]: Enter a whole number"),
        ({"prompt": "a", "outputFormat": "gif"}, 0, "Request parameter [outputFormat]: Choose"),
        ({"prompt": "a", "inputImage": "photo.jpg"}, 0, "is not an image URL"),
        ({"prompt": "a", "inputImage": "http://example.com/a.jpg"}, 0, "https://"),
        ({"prompt": "a", "inputImage": ["https://example.com/a.jpg"] * 9}, 0, "Request files [inputImage]"),
        ({"prompt": {}}, 0, "Request parameter [prompt]"),
    ],
    ids=str,
)
async def test_invalid_input_is_reported_with_status_200_and_costs_nothing(
    ask: Any, actor: Actor, fields: dict[str, Any], code: int, message: str
) -> None:
    answer = await ask(RUN, **fields)
    assert answer["result"] is False
    assert answer["errors"][0]["code"] == code
    assert message in answer["errors"][0]["message"]
    assert await nothing_happened(actor)


async def test_a_file_that_is_not_an_image_is_refused(
    client: httpx.AsyncClient, key: str, actor: Actor
) -> None:
    for path, name in ((RUN, "inputImage"), ("File/Upload", "file")):
        files = {name: ("a.png", b"no picture", "image/png")}
        answer = await client.post(path, data={"prompt": "a"}, files=files, headers={"x-api-key": key})
        assert (answer.status_code, answer.json()["result"]) == (200, False)
    assert not await in_thread(Image.objects.exists)
    assert await nothing_happened(actor)


async def test_an_unknown_model_and_an_upload_without_a_file_are_reported(ask: Any) -> None:
    answer = await ask("Run/somebody/something", prompt="a")
    assert answer["errors"] == [{"code": 1, "message": "slug-owner-project-not-exist"}]
    answer = await ask("File/Upload", file="x")
    assert answer["errors"] == [{"code": 0, "message": "Request files [file] required"}]


async def test_without_credits_no_image_is_stored(client: httpx.AsyncClient, key: str, actor: Actor) -> None:
    await in_thread(lambda: credits.adjust(workspace=actor.workspace, amount=-96, actor=None, note="spent"))
    files = {"inputImage": ("a.png", photo(), "image/png")}
    answer = await client.post(RUN, data={"prompt": "a"}, files=files, headers={"x-api-key": key})
    assert answer.json()["errors"] == [{"code": 97, "message": "Insufficient balance"}]
    assert not await in_thread(Image.objects.exists)


async def test_too_many_concurrent_jobs_have_wiros_error_code(
    client: httpx.AsyncClient, ask: Any, key: str, actor: Actor
) -> None:
    await in_thread(lambda: limit_jobs(actor.workspace, concurrent_jobs=1))
    await run(ask)
    answer = await client.post(RUN, json={"prompt": "a"}, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (200, 96)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_body_that_is_too_long_is_refused_before_it_is_read(
    client: httpx.AsyncClient, key: str
) -> None:
    headers = {"x-api-key": key, "content-length": str(BODY_LIMIT + 1)}
    answer = await client.post("File/Upload", content=b"", headers=headers)
    assert (answer.status_code, answer.json()["result"]) == (413, False)
