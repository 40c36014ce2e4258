from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.kie import Kie


@pytest.fixture
def kie() -> Iterator[Kie]:
    with Kie(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
