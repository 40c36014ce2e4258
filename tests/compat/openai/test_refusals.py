"""Requests that the API refuses, at no cost."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.models import Image, Job
from editor.operations import credits
from tests.compat.openai.calls import FORM, PICTURE, edit, error, generate, rows
from tests.factories import limit_jobs, photo
from tests.media.test_masks import png, with_hole

SQUARE_MASK = png(with_hole().resize((64, 64)))  # the image is not square


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
async def test_an_invalid_generation_costs_nothing(
    client: httpx.AsyncClient, actor: Actor, fields: dict[str, Any], code: str, param: str
) -> None:
    answer = await generate(client, **fields)
    assert error(answer) == (400, code, param)
    assert answer.headers["x-should-retry"] == "false"
    assert await rows(Job) == []
    account = await in_thread(credits.open_account, workspace=actor.workspace)
    assert (account.balance, account.held) == (100, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"prompt": NaN}', b'{"prompt": "a\\u0000b"}', b"\xff"])
async def test_a_body_that_is_not_a_json_object_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
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
async def test_an_invalid_form_is_refused(
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
async def test_an_invalid_edit_costs_nothing(
    client: httpx.AsyncClient, files: list[Any], fields: dict[str, str], code: str, param: str
) -> None:
    assert error(await edit(client, *files, **fields)) == (400, code, param)
    assert await rows(Job) == []


async def test_images_are_stored_only_when_everything_else_is_valid(client: httpx.AsyncClient) -> None:
    assert error(await edit(client, PICTURE, n="2"))[2] == "n"
    assert error(await edit(client, PICTURE, PICTURE))[2] == "image"
    assert await rows(Image) == []


async def test_an_image_has_at_most_25_mib(client: httpx.AsyncClient) -> None:
    large = ("image", ("a.png", photo() + b"\0" * 25 * 1024 * 1024, "image/png"))
    answer = await edit(client, large)
    assert error(answer) == (400, "invalid_image_file", "image")
    assert "Image 1: The file is 25.0 MiB" in answer.json()["error"]["message"]


async def test_a_body_has_at_most_128_mib(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "images/edits", content=b"", headers=FORM | {"content-length": str(128 * 1024 * 1024 + 1)}
    )
    assert answer.status_code == 413


async def test_without_credits_clients_do_not_retry(client: httpx.AsyncClient, actor: Actor) -> None:
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
