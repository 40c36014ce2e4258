"""Provider keys are verified by real requests to each provider's emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from editor.errors import InvalidInput
from editor.models import ProviderKey
from editor.net import policy
from editor.operations import provider_keys
from editor.providers import http
from tests.emulators.base import Emulator
from tests.emulators.registry import EMULATORS
from tests.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture(params=EMULATORS.values(), ids=lambda emulator: emulator.name)
def emulator(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Emulator]:
    """Each provider's emulator, at a base URL set by the operator."""
    with request.param() as running:
        policy.allow(["127.0.0.0/8"])
        settings.PROVIDERS = {running.name: {"base_url": running.url, "key": "", "secret": ""}}
        yield running
        policy.allow([])


def save_over_http(emulator: Emulator, key: str) -> ProviderKey:
    actor, secret = make_actor(), emulator.secret or ""

    async def save() -> ProviderKey:
        try:
            return await provider_keys.save_and_test(
                actor=actor, provider=emulator.name, key=key, secret=secret
            )
        finally:
            await http.close()

    return async_to_sync(save)()


def test_a_request_distinguishes_a_valid_key_from_an_invalid_one(emulator: Emulator) -> None:
    assert save_over_http(emulator, emulator.key).checked_at is not None
    with pytest.raises(InvalidInput, match="does not accept this key"):
        save_over_http(emulator, f"{emulator.key[:-4]}0000")
    assert ProviderKey.objects.count() == 1
    assert not emulator.tasks, "which would cost money"


def test_a_provider_that_is_down_leaves_the_key_untested(emulator: Emulator) -> None:
    emulator.stop()
    key = save_over_http(emulator, emulator.key)
    assert key.checked_at is None
    assert "could not be tested" in key.note
