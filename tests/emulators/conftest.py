"""A running emulator for each test that requests one, with small results."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.bfl import Bfl
from tests.emulators.kie import Kie
from tests.emulators.wiro import Wiro


@pytest.fixture
def bfl() -> Iterator[Bfl]:
    with Bfl(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def wiro() -> Iterator[Wiro]:
    with Wiro(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def kie() -> Iterator[Kie]:
    with Kie(longest_side=64) as emulator:
        yield emulator
