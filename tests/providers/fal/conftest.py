from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
