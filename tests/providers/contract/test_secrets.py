"""Neither key nor prompt ends up where others can read it."""

from __future__ import annotations

import logging

import pytest

from tests.emulators.faults import Fault
from tests.providers.calls import failure
from tests.providers.contract.spec import RED, UnderTest
from tests.providers.contract.specs import SPECS, each

FAULTS = (Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.CUT, Fault.MALFORMED_JSON, Fault.BAD_GATEWAY)


def secrets(provider: UnderTest) -> list[str]:
    return [secret for secret in (provider.emulator.key, provider.emulator.secret) if secret]


@each(SPECS)
async def test_neither_key_nor_prompt_is_logged_or_reported(
    provider: UnderTest, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    private = [*secrets(provider), "private matter"]
    for fault in FAULTS:
        provider.script.next_submit = [fault]

        error = await failure(provider.adapter.submit(provider.edit(prompt="a very private matter")))

        reported = f"{error} {error!r} {error.message} {caplog.text}"
        assert not [each for each in private if each in reported], fault


@each(SPECS)
async def test_the_stored_state_contains_no_secret(provider: UnderTest):
    request = provider.edit(RED)
    task = await provider.adapter.submit(request)

    assert sorted(task.state) == sorted(provider.spec.state)
    kept = repr(task) + repr(request) + repr(vars(provider.adapter))
    assert not [secret for secret in secrets(provider) if secret in kept]
