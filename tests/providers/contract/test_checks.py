"""The check of a key is one request that costs nothing; wrong keys are tested in test_refusals."""

from __future__ import annotations

import pytest

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault
from tests.providers.calls import failure
from tests.providers.contract.spec import UnderTest
from tests.providers.contract.specs import SPECS, each
from tests.providers.edits import is_temporary


@each(SPECS)
async def test_the_check_of_a_valid_key_returns_what_the_provider_reports(provider: UnderTest):
    assert await provider.adapter.check(provider.account()) == provider.spec.check_message

    [call] = provider.emulator.calls
    assert call.url == provider.emulator.url + provider.spec.check_url
    assert provider.emulator.tasks == []


@each(SPECS)
async def test_a_check_without_a_server_does_not_judge_the_key(provider: UnderTest):
    provider.emulator.stop()

    assert is_temporary(await failure(provider.adapter.check(provider.account())))


@each(spec for spec in SPECS if spec.check_step)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_check_without_a_clear_response_does_not_judge_the_key(
    provider: UnderTest, fault: Fault, kind: ErrorKind
):
    assert provider.spec.check_step is not None
    provider.script.coming(provider.spec.check_step).append(fault)

    assert is_temporary(await failure(provider.adapter.check(provider.account())), kind)
