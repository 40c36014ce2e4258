"""Tasks and keys specific to fal; what all providers share is in the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.providers.base import Account, ErrorKind, Progress, Result, Submitted
from editor.providers.fal import adapter as module
from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault
from tests.emulators.receiver import Receiver
from tests.providers.calls import failure
from tests.providers.clock import waited_for
from tests.providers.contract.spec import GREEN, RED
from tests.providers.edits import account, edit, finish, is_final, is_temporary, run
from tests.providers.fal.spec import KONTEXT


async def test_the_log_lines_give_the_progress(adapter: Adapter, fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress(percent=None)
    fal.ahead += 5
    assert await adapter.poll(request, task) == Progress(percent=50)
    fal.ahead += 5
    assert isinstance(await adapter.poll(request, task), Result)


async def test_a_task_waits_while_others_are_before_it_in_the_queue(adapter: Adapter, fal: Fal):
    fal.stop_clock()
    fal.queue.concurrency, fal.seconds = 1, 10
    await adapter.submit(edit(fal, KONTEXT, RED))
    request = edit(fal, KONTEXT, GREEN)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress(percent=None)
    fal.ahead += 20
    assert isinstance(await adapter.poll(request, task), Result)


@pytest.mark.parametrize("name", ["status_url", "response_url"])
async def test_an_address_on_another_host_never_gets_the_key(adapter: Adapter, fal: Fal, name: str):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    await finish(adapter, request, task)
    with Receiver() as elsewhere:
        lured = Submitted(task.task_id, {**task.state, name: elsewhere.url})

        error = await failure(adapter.poll(request, lured))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "another server" in error.message


async def test_the_check_reports_an_empty_account(adapter: Adapter, fal: Fal):
    fal.script.next_upload = [Fault.OUT_OF_FUNDS]

    assert is_final(await failure(adapter.check(account(fal))), ErrorKind.INSUFFICIENT_FUNDS)


async def test_a_check_whose_response_breaks_off_does_not_judge_the_key(adapter: Adapter, fal: Fal):
    fal.script.next_upload = [Fault.CUT]

    assert is_temporary(await failure(adapter.check(account(fal))))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
        (Fault.NOT_FOUND_YET, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_result_without_a_clear_response_is_retried(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind
):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    fal.ahead += 1
    fal.script.next_poll = [None, fault]

    async with waited_for(fault, once=lambda: not fal.script.next_poll):
        error = await failure(adapter.poll(request, task))
    assert is_temporary(error, kind)
    assert isinstance(await adapter.poll(request, task), Result)


async def test_a_result_that_appears_after_its_status_is_awaited(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    fal.ahead += 1
    fal.script.next_poll = [None, Fault.NEVER_FINISHES]

    assert await adapter.poll(request, task) == Progress()
    assert isinstance(await adapter.poll(request, task), Result)


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "safety filter"),  # it is flagged
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "returned no image"),
    ],
)
async def test_kontext_reports_unusable_results_in_its_own_way(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind, text: str
):
    fal.script.next_submit = [fault]

    error = await failure(run(adapter, edit(fal, KONTEXT, RED)))

    assert is_final(error, kind)
    assert text in error.message


async def test_files_that_were_deleted_meanwhile_are_reported(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, RED)
    task = await adapter.submit(request)
    fal.ahead += 25 * 3600

    error = await failure(adapter.poll(request, task))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "expired" in error.message


def test_only_fals_own_service_has_a_separate_storage_host():
    own = Account(base_url=Adapter.public_url, key="k")

    assert module.storage_url(own) == "https://rest.fal.ai"
    assert module.storage_url(replace(own, base_url="http://gpu:9000")) == "http://gpu:9000"
