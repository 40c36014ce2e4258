"""Webhook receivers on this machine, and a user whose edits are reported to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.access.actor import Actor
from editor.net import policy
from tests.emulators.receiver import Receiver
from tests.factories import make_actor


@pytest.fixture
def loopback_is_allowed() -> Iterator[None]:
    policy.allow(["127.0.0.0/8"])
    yield
    policy.allow([])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def actor() -> Actor:
    return make_actor(balance=100)
