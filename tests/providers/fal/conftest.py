from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from editor.providers import http
from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture(autouse=True)
async def connections_closed() -> AsyncIterator[None]:
    yield
    await http.close()
