from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.wiro import Wiro


@pytest.fixture
def wiro() -> Iterator[Wiro]:
    with Wiro(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
