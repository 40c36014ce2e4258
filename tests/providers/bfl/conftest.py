from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.bfl.adapter import Bfl as Adapter
from tests.emulators.bfl import Bfl


@pytest.fixture
def bfl() -> Iterator[Bfl]:
    with Bfl(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
