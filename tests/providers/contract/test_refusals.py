"""A refused submit creates no task, and its kind says what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.contract.spec import RED, REFUSALS, UnderTest
from tests.providers.contract.specs import APIS, SPECS, each, each_with
from tests.providers.edits import is_final, run

KINDS = {
    Fault.WRONG_KEY: ErrorKind.AUTH,
    Fault.OUT_OF_FUNDS: ErrorKind.INSUFFICIENT_FUNDS,
    Fault.RATE_LIMITED: ErrorKind.RATE_LIMITED,
    Fault.RATE_LIMITED_RETRY_AFTER: ErrorKind.RATE_LIMITED,
    Fault.SERVER_ERROR: ErrorKind.UNAVAILABLE,
    Fault.BAD_GATEWAY: ErrorKind.UNKNOWN_OUTCOME,  # a proxy cannot know that no task was created
    # Only some providers:
    Fault.FORBIDDEN: ErrorKind.AUTH,
    Fault.SPEND_CAP: ErrorKind.INSUFFICIENT_FUNDS,
    Fault.OVERLOADED: ErrorKind.UNAVAILABLE,
}
REQUIRED = (*REFUSALS, Fault.SERVER_ERROR)


@each_with("fault", lambda spec: dict.fromkeys([*REQUIRED, *spec.reported]))
async def test_a_refused_submit_creates_no_task(provider: UnderTest, fault: Fault):
    provider.script.next_submit = [fault]

    error = await failure(provider.adapter.submit(provider.edit()))

    assert is_final(error, KINDS[fault])
    assert provider.spec.reported[fault] in error.message
    assert error.retry_after == provider.spec.pauses.get(fault)
    assert provider.emulator.tasks == []
    assert provider.count(Step.SUBMIT) == 1


@each_with("key", lambda spec: spec.wrong_keys, APIS)
async def test_a_wrong_key_is_reported_with_our_message_by_a_submit_and_a_check(
    provider: UnderTest, key: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")

    submitting = await failure(provider.adapter.submit(provider.edit(key=key)))
    checking = await failure(provider.adapter.check(provider.account(key)))

    for error in (submitting, checking):
        assert is_final(error, ErrorKind.AUTH)
        assert error.message.startswith("The provider did not accept the API key.")
        assert error.quote == ""
        assert not key or key not in f"{error!r} {error.message} {caplog.text}"
    assert provider.emulator.tasks == []


@each(SPECS)
async def test_an_invalid_input_is_reported_with_the_providers_message(provider: UnderTest):
    error = await failure(run(provider.adapter, provider.refused_edit(provider.spec.bad_input)))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert provider.spec.bad_input.message in error.message


@each(SPECS)
async def test_a_server_without_the_providers_paths_is_unavailable(provider: UnderTest):
    account = replace(provider.account(), base_url=f"{provider.emulator.url}/other")

    error = await failure(provider.adapter.submit(replace(provider.edit(RED), account=account)))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert provider.emulator.tasks == []
