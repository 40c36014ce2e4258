"""Results of a provider: no more images are kept than were requested, and good ones are kept."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image as Picture

from editor.access.actor import Actor
from editor.engine import execution
from editor.media import limits, store
from editor.models import CreditAccount, Job, JobEvent, LedgerEntry, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from editor.providers.base import Result, ResultImage
from tests.factories import make_actor, make_image, photo
from tests.media.pictures import encode, png
from tests.operations.upload_files import stored_files

pytestmark = pytest.mark.usefixtures("committed")

BALANCE = 10
FILES_OF_ONE = 4  # the image and its thumbnails
GOOD = ResultImage(photo(), "image/png")
BAD = ResultImage(b"<!DOCTYPE html><title>Sign in</title>", "image/png")


def ended(monkeypatch: pytest.MonkeyPatch, *given: ResultImage, samples: int) -> tuple[Actor, Job]:
    """A job with `samples` samples, at 2 credits each, whose provider returned the `given` images."""

    async def poll(*_: Any) -> Result:
        return Result(images=given)

    monkeypatch.setattr(registry.get("sandbox"), "poll", poll)
    actor = make_actor(balance=BALANCE)
    request = NewEdit(
        prompt="make it warmer",
        tier="creative",
        image_ids=(make_image(actor).pk,),
        inputs={"samples": samples},
    )
    job = jobs.submit(actor=actor, request=request)
    assert job.price == 2 * samples
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    return actor, job


def assert_booked(actor: Actor, job: Job, *, charged: int) -> None:
    """The hold ended once, with `charged` credits spent."""
    account = CreditAccount.objects.get(workspace=actor.workspace)
    assert (account.balance, account.held, job.charged) == (BALANCE - charged, 0, charged)
    kinds = sorted(LedgerEntry.objects.filter(job=job).values_list("kind", flat=True))
    assert kinds == ["hold", "settle" if charged else "release"]


def test_of_three_hundred_images_only_the_requested_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, job = ended(monkeypatch, *[GOOD] * 300, samples=2)
    assert (job.status, job.error) == (Status.COMPLETED, "")
    assert job.results.count() == 2
    assert len(stored_files()) == 3 * FILES_OF_ONE
    assert_booked(actor, job, charged=4)


@pytest.mark.parametrize("given", [(BAD, GOOD), (GOOD, BAD), (GOOD,)], ids=["first", "second", "missing"])
def test_one_bad_image_of_two_is_dropped_and_not_charged(
    monkeypatch: pytest.MonkeyPatch, given: tuple[ResultImage, ...]
) -> None:
    actor, job = ended(monkeypatch, *given, samples=2)
    message = "1 of 2 images could be used. 2 credits refunded."
    assert (job.status, job.error, job.error_code) == (Status.COMPLETED, message, "")
    assert JobEvent.objects.filter(job=job).latest("id").note == message
    assert [image.position for image in job.results.all()] == [0]
    assert len(stored_files()) == 2 * FILES_OF_ONE
    assert_booked(actor, job, charged=2)


def test_only_bad_images_fail_the_job_at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    actor, job = ended(monkeypatch, BAD, BAD, GOOD, samples=2)
    assert (job.status, job.error_code) == (Status.FAILED, "unavailable")
    assert "could not be used" in job.error
    assert not job.results.exists()
    assert len(stored_files()) == FILES_OF_ONE
    assert_booked(actor, job, charged=0)


def many_bytes() -> bytes:
    return encode(Picture.frombytes("RGB", (3000, 3000), os.urandom(27_000_000)), "PNG", compress_level=0)


def many_pixels() -> bytes:
    return encode(Picture.new("L", (5400, 5000)), "PNG")


@pytest.mark.parametrize("make", [many_bytes, many_pixels])
def test_a_result_larger_than_uploads_may_be_is_stored_and_charged(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], bytes]
) -> None:
    content = make()
    width, height = Picture.open(io.BytesIO(content)).size
    assert len(content) > limits.UPLOAD.content_bytes or width * height > limits.UPLOAD.pixels
    actor, job = ended(monkeypatch, ResultImage(content, "image/png"), samples=1)
    assert (job.status, job.error) == (Status.COMPLETED, "")
    image = job.results.get()
    assert (image.width, image.height, image.size) == (width, height, len(content))
    assert store.read(image.storage_name) == content
    assert_booked(actor, job, charged=2)


def test_a_result_that_is_too_large_even_so_is_refunded_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = png(12_000, 9_000, bits=1, colour_type=0, rows=b"\0")
    actor, job = ended(monkeypatch, ResultImage(content, "image/png"), samples=1)
    assert (job.status, job.error_code) == (Status.FAILED, "unavailable")
    assert "has 12000 x 9000 pixels (108.0 megapixels); results can have 105 megapixels" in job.error
    assert_booked(actor, job, charged=0)


def test_as_many_bytes_are_downloaded_as_may_be_stored() -> None:
    assert limits.RESULT.content_bytes == http.IMAGE_BYTES
