"""A submit is sent only once; without a clear response its outcome is unknown."""

from __future__ import annotations

import pytest

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.clock import waited_for
from tests.providers.contract.spec import RED, UnderTest
from tests.providers.contract.specs import APIS, IMMEDIATE, SPECS, each
from tests.providers.edits import is_final


@each(APIS)
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_response_has_an_unknown_outcome(provider: UnderTest, fault: Fault):
    provider.script.next_submit = [fault]

    async with waited_for(fault, once=lambda: provider.emulator.tasks):
        error = await failure(provider.adapter.submit(provider.edit()))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert "it is unknown" in error.message
    assert len(provider.emulator.tasks) == 1  # it was accepted and is paid for
    assert provider.count(Step.SUBMIT) == 1


@each(IMMEDIATE)
async def test_work_that_never_ends_has_an_unknown_outcome(provider: UnderTest):
    provider.script.next_submit = [Fault.NEVER_FINISHES]

    async with waited_for(Fault.NEVER_FINISHES, once=lambda: provider.emulator.tasks):
        error = await failure(provider.adapter.submit(provider.edit()))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)


@each(SPECS)
async def test_a_refused_connection_is_unavailable(provider: UnderTest):
    provider.emulator.stop()

    for images in ([], [RED]):
        error = await failure(provider.adapter.submit(provider.edit(*images)))

        assert is_final(error, ErrorKind.UNAVAILABLE)
