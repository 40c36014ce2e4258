"""A bucket that accepts connections and never responds delays only the calls that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from editor.access.actor import Actor
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.models import Workspace
from tests.emulators import s3
from tests.factories import make_actor, make_image
from tests.operations.upload_files import announce
from tests.patience import PATIENCE, until

EDIT: dict[str, Any] = {"prompt": "a quiet harbour", "model_tier": "standard", "async": True}
HELD = 2 * threads.THREADS  # calls


def of_uploads(actor: Actor) -> list[dict[str, str]]:
    return [{"image_id": str(announce(actor).image_id)} for _ in range(HELD)]


def with_masks(actor: Actor) -> list[dict[str, str]]:
    image = make_image(actor)
    return [{"image_id": str(image.id), "mask_id": str(image.id)} for _ in range(HELD)]


@pytest.mark.parametrize("make", [of_uploads, with_masks])
async def test_other_calls_are_still_served(
    client: httpx.AsyncClient, settings: Settings, make: Callable[[Actor], list[dict[str, str]]]
) -> None:
    needing_it = await in_thread(lambda: make(make_actor(Workspace.objects.get())))
    with s3.hung_bucket() as (bucket, accepted):
        bucket.use(settings)
        held = [asyncio.create_task(client.post("process", json=EDIT | files)) for files in needing_it]
        await until(lambda: len(accepted) >= threads.THREADS)
        async with asyncio.timeout(PATIENCE):
            models = await client.get("models")
            started = await client.post("process", json=EDIT)
        assert (models.status_code, started.status_code) == (200, 202)
        assert not any(call.done() for call in held)
    for refusal in await asyncio.gather(*held):
        assert refusal.status_code == 503
        assert refusal.json()["code"] == "storage_unavailable"
        assert "does not respond" in refusal.json()["error"]
        assert refusal.headers["Retry-After"]
