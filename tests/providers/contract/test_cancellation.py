"""A cancel stops the task if the provider supports it, and never raises."""

from __future__ import annotations

import pytest

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.contract.spec import UnderTest
from tests.providers.contract.specs import SPECS, each
from tests.providers.edits import finish, is_final

CANCELLING = tuple(spec for spec in SPECS if spec.cancels)


@each(CANCELLING)
async def test_a_running_task_is_cancelled(provider: UnderTest):
    provider.emulator.stop_clock()
    provider.emulator.seconds = 100
    request = provider.edit()
    task = await provider.adapter.submit(request)
    provider.emulator.ahead = 50

    await provider.adapter.cancel(request, task)

    assert provider.task.cancelled_at is not None
    error = await failure(provider.adapter.poll(request, task))
    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "cancel" in error.message


@each(spec for spec in SPECS if not spec.cancels)
async def test_a_cancel_sends_no_request_to_a_provider_without_cancelling(provider: UnderTest):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    calls = len(provider.emulator.calls)

    await provider.adapter.cancel(request, task)

    assert len(provider.emulator.calls) == calls


@each(CANCELLING)
@pytest.mark.parametrize("fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.CUT])
async def test_a_failed_cancel_is_only_logged(
    provider: UnderTest, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", logger="editor")
    provider.emulator.stop_clock()
    provider.emulator.seconds = 100
    request = provider.edit()
    task = await provider.adapter.submit(request)
    provider.script.always[Step.CANCEL] = fault

    await provider.adapter.cancel(request, task)

    assert task.task_id in caplog.text
    assert provider.emulator.key not in caplog.text


@each(CANCELLING)
async def test_a_cancel_of_an_ended_task_or_at_a_dead_server_does_no_harm(provider: UnderTest):
    request = provider.edit()
    task = await provider.adapter.submit(request)
    result = await finish(provider.adapter, request, task)

    await provider.adapter.cancel(request, task)
    assert (await finish(provider.adapter, request, task)).images == result.images

    provider.emulator.stop()
    await provider.adapter.cancel(request, task)
