"""Behaviour specific to BFL; what all providers share is in the contract."""

from __future__ import annotations

from base64 import b64decode

import pytest

from editor.providers.base import ErrorKind, Progress, Result, Submitted
from editor.providers.bfl.adapter import Bfl as Adapter
from tests.emulators.bfl import Bfl
from tests.emulators.faults import Fault
from tests.emulators.receiver import Receiver
from tests.providers.bfl.spec import FILL, FLEX, FLUX_2, images
from tests.providers.calls import failure
from tests.providers.contract.spec import BLUE, GREEN, MASK, PROMPT, RED
from tests.providers.edits import edit, finish, is_final, png, run


@pytest.mark.parametrize("target", ["flux-kontext-max", FLEX, "flux-2-klein-9b"])
async def test_references_are_sent_in_order(adapter: Adapter, bfl: Bfl, target: str):
    await adapter.submit(edit(bfl, target, RED, GREEN, BLUE))

    assert images(bfl.tasks[0]) == [RED, GREEN, BLUE]


async def test_flux_2_accepts_eight_images(adapter: Adapter, bfl: Bfl):
    await adapter.submit(edit(bfl, FLUX_2, *[RED] * 7, BLUE))

    assert images(bfl.tasks[0]) == [*[RED] * 7, BLUE]


async def test_a_mask_selects_what_is_repainted(adapter: Adapter, bfl: Bfl):
    result = await run(adapter, edit(bfl, FILL, RED, mask=MASK, steps=30, guidance=60.0))

    [task] = bfl.tasks
    assert result.images[0].content == task.pictures[0].content
    assert b64decode(task.request.pop("image")) == RED
    assert b64decode(task.request.pop("mask")) == MASK
    assert task.request == {"prompt": PROMPT, "steps": 30, "guidance": 60.0}


async def test_an_invalid_image_is_reported_with_its_field(adapter: Adapter, bfl: Bfl):
    small = png(size=(64, 64))

    error = await failure(adapter.submit(edit(bfl, FILL, small, mask=small)))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "The image in image is too large or too small" in error.message


async def test_polls_report_the_progress(adapter: Adapter, bfl: Bfl):
    bfl.stop_clock()
    bfl.seconds, bfl.newer = 10, True
    request = edit(bfl, FLUX_2)
    task = await adapter.submit(request)

    reported = []
    for _ in range(3):
        reported.append(await adapter.poll(request, task))
        bfl.ahead += 4

    assert reported == [Progress(percent=10), Progress(percent=40), Progress(percent=80)]
    assert isinstance(await adapter.poll(request, task), Result)


async def test_with_a_callback_the_task_is_polled_at_the_base_url(adapter: Adapter, bfl: Bfl):
    with Receiver() as receiver:
        request = edit(bfl, FLUX_2, callback_url=receiver.url)
        task = await adapter.submit(request)
        assert task.state["polling_url"] == ""

        result = await finish(adapter, request, task)
        receiver.wait(1)

    assert result.images[0].content == bfl.tasks[0].pictures[0].content


async def test_a_polling_url_on_another_host_never_gets_the_key(adapter: Adapter, bfl: Bfl):
    bfl.regional = True  # another origin here: localhost
    request = edit(bfl, FLUX_2)
    task = await adapter.submit(request)

    error = await failure(adapter.poll(request, task))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "another server" in error.message
    assert bfl.tasks[0].polls == 0


async def test_a_task_that_ended_long_ago_still_returns_its_result(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, FLUX_2)
    task = await adapter.submit(request)
    bfl.ahead += 3600

    result = await finish(adapter, request, task)

    assert result.images[0].content == bfl.tasks[0].pictures[0].content


async def test_a_task_of_another_day_is_not_confused_with_one_just_submitted(adapter: Adapter, bfl: Bfl):
    old = Submitted("gone", {"polling_url": "", "submitted_at": 0})

    error = await failure(adapter.poll(edit(bfl, FLUX_2), old))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "no longer knows this edit" in error.message


async def test_a_failed_task_may_have_a_server_error_status(adapter: Adapter, bfl: Bfl):
    bfl.failed_status = 503
    bfl.script.next_submit = [Fault.FAILED]

    assert is_final(await failure(run(adapter, edit(bfl, FLUX_2))), ErrorKind.UNAVAILABLE)


def test_kontext_max_has_its_own_limit():
    assert Adapter().limits("flux-kontext-max") == {"all": 24, "flux-kontext-max": 6}
