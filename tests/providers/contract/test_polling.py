"""A poll may be repeated, and only the provider's own status ends a task."""

from __future__ import annotations

import json
import time

import pytest

from editor.providers import http
from editor.providers.base import ErrorKind, Progress, Result, Submitted
from tests.emulators.faults import Fault
from tests.providers.calls import failure
from tests.providers.clock import waited_for
from tests.providers.contract.spec import UnderTest
from tests.providers.contract.specs import POLLED, POLLED_APIS, each
from tests.providers.edits import finish, is_final, is_temporary


@each(POLLED_APIS)
async def test_a_task_runs_until_it_is_done(provider: UnderTest):
    provider.emulator.stop_clock()
    provider.emulator.seconds = 100
    request = provider.edit()
    task = await provider.adapter.submit(request)

    for passed in (0, 10, 50, 99):
        provider.emulator.ahead = passed
        update = await provider.adapter.poll(request, task)
        assert isinstance(update, Progress)
        assert update.percent is None or 0 <= update.percent < 100
    provider.emulator.ahead = 101

    result = await provider.adapter.poll(request, task)
    assert isinstance(result, Result)
    assert result.images[0].content == provider.task.pictures[0].content


@each(POLLED)
async def test_a_task_is_found_again_after_a_restart(provider: UnderTest):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    await http.close()
    stored = Submitted(task.task_id, json.loads(json.dumps(task.state)))

    result = await finish(provider.spec.adapter(), request, stored)

    assert result.images[0].content == provider.task.pictures[0].content


@each(POLLED_APIS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
        (Fault.RATE_LIMITED_RETRY_AFTER, ErrorKind.RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
        (Fault.NOT_FOUND_YET, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_poll_without_a_clear_response_is_retried(provider: UnderTest, fault: Fault, kind: ErrorKind):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    provider.script.next_poll = [fault]

    async with waited_for(fault, once=lambda: not provider.script.next_poll):
        error = await failure(finish(provider.adapter, request, task))

    assert is_temporary(error, kind)
    assert error.retry_after == provider.spec.pauses.get(fault)
    assert isinstance(await finish(provider.adapter, request, task), Result)


@each(POLLED)
async def test_a_poll_whose_connection_is_refused_is_retried(provider: UnderTest):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    provider.emulator.stop()

    assert is_temporary(await failure(finish(provider.adapter, request, task)))

    provider.emulator.start()
    assert isinstance(await finish(provider.adapter, request, task), Result)


@each(POLLED)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.WRONG_KEY, ErrorKind.AUTH), (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS)],
)
async def test_an_account_that_was_closed_meanwhile_ends_the_task(
    provider: UnderTest, fault: Fault, kind: ErrorKind
):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    provider.script.next_poll = [fault]

    assert is_final(await failure(finish(provider.adapter, request, task)), kind)


@each(POLLED_APIS)
async def test_a_task_that_stays_unknown_is_abandoned(provider: UnderTest):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    earlier = Submitted(task.task_id, {**task.state, "submitted_at": time.time() - 31})
    provider.script.next_poll = [Fault.NOT_FOUND_YET]

    error = await failure(finish(provider.adapter, request, earlier))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "The provider no longer knows this" in error.message


@each(POLLED_APIS)
async def test_a_task_with_an_unknown_status_is_still_running(provider: UnderTest):
    for fault in (Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES):
        provider.script.next_submit = [fault]
        request = provider.edit()
        task = await provider.adapter.submit(request)
        provider.emulator.ahead += 3600

        assert isinstance(await provider.adapter.poll(request, task), Progress), fault
