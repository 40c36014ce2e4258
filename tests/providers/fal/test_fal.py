"""Edits at fal that go well, from the queue to the result; cancels and checks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.providers import http
from editor.providers.base import Account, ErrorKind, Progress, ProviderError, Result, Submitted
from editor.providers.fal import adapter as module
from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault, Step
from tests.emulators.receiver import Receiver
from tests.providers.edits import edit, finish, is_final, png, run

KONTEXT = "fal-ai/flux-pro/kontext"
RED, GREEN = png("red"), png("green")


async def test_the_log_lines_tell_how_far_it_is(adapter: Adapter, fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress(percent=None)
    fal.ahead += 5
    assert await adapter.poll(request, task) == Progress(percent=50)
    fal.ahead += 5
    assert isinstance(await adapter.poll(request, task), Result)


async def test_it_waits_while_others_are_before_it_in_the_queue(adapter: Adapter, fal: Fal):
    fal.stop_clock()
    fal.queue.concurrency, fal.seconds = 1, 10
    await adapter.submit(edit(fal, KONTEXT, RED))
    request = edit(fal, KONTEXT, GREEN)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress(percent=None)
    fal.ahead += 20
    assert isinstance(await adapter.poll(request, task), Result)


async def test_a_task_is_found_again_after_a_restart(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    await http.close()

    again = Adapter()

    assert (await finish(again, request, task)).images[0].content == fal.tasks[0].pictures[0].content


async def test_the_state_that_is_stored_holds_no_secret(adapter: Adapter, fal: Fal):
    task = await adapter.submit(edit(fal, KONTEXT, RED))

    assert sorted(task.state) == ["cancel_url", "response_url", "status_url", "submitted_at"]
    assert fal.key not in repr(task)


async def test_the_callback_url_goes_with_the_submit(adapter: Adapter, fal: Fal):
    with Receiver() as receiver:
        await adapter.submit(edit(fal, KONTEXT, RED, callback_url=f"{receiver.url}?token=a%2Fb&job=1"))
        receiver.wait(1)

    assert fal.tasks[0].callback == f"{receiver.url}?token=a%2Fb&job=1"


async def test_no_key_goes_to_the_results_link(adapter: Adapter, fal: Fal):
    await run(adapter, edit(fal, KONTEXT, RED))

    download = fal.calls[-1]
    assert download.step is Step.DOWNLOAD
    assert fal.key not in str(download.headers)


@pytest.mark.parametrize("name", ["status_url", "response_url"])
async def test_an_address_elsewhere_never_gets_the_key(adapter: Adapter, fal: Fal, name: str):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    await finish(adapter, request, task)
    with Receiver() as elsewhere:
        lured = Submitted(task.task_id, {**task.state, name: elsewhere.url})

        with pytest.raises(ProviderError, match="another server") as caught:
            await adapter.poll(request, lured)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


async def test_a_running_task_is_cancelled(adapter: Adapter, fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)

    await adapter.cancel(request, task)

    assert fal.tasks[0].cancelled_at is not None
    with pytest.raises(ProviderError, match="cancelled") as caught:
        await adapter.poll(request, task)
    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.CUT])
async def test_a_cancel_that_fails_is_only_logged(
    adapter: Adapter, fal: Fal, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", logger="editor.fal")
    fal.stop_clock()
    fal.seconds = 10
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    fal.script.next_cancel = [fault]

    await adapter.cancel(request, task)

    assert f"task={task.task_id}" in caplog.text
    assert fal.key not in caplog.text


async def test_a_cancel_of_what_has_ended_or_gone_does_no_harm(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    result = await finish(adapter, request, task)
    await adapter.cancel(request, task)
    assert (await finish(adapter, request, task)).images == result.images

    fal.stop()
    await adapter.cancel(request, task)


async def test_the_check_costs_nothing(adapter: Adapter, fal: Fal):
    assert await adapter.check(Account(base_url=fal.url, key=fal.key)) == ""
    assert fal.tasks == []


@pytest.mark.parametrize(
    ("key", "fault", "kind"),
    [("wrong", None, ErrorKind.AUTH), (None, Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS)],
)
async def test_the_check_tells_a_wrong_key_and_an_empty_account(
    adapter: Adapter, fal: Fal, key: str | None, fault: Fault | None, kind: ErrorKind
):
    fal.script.next_upload = [fault]

    with pytest.raises(ProviderError) as caught:
        await adapter.check(Account(base_url=fal.url, key=key or fal.key))

    assert is_final(caught.value, kind)


def test_only_fals_own_service_has_its_files_on_another_host():
    own = Account(base_url=Adapter.public_url, key="k")

    assert module.storage_url(own) == "https://rest.fal.ai"
    assert module.storage_url(replace(own, base_url="http://gpu:9000")) == "http://gpu:9000"
