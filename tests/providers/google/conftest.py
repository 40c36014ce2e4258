from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from editor.providers import http
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.google import Google


@pytest.fixture
def google() -> Iterator[Google]:
    with Google(longest_side=64, key="AIza-planted-secret") as emulator:
        yield emulator


@pytest_asyncio.fixture
async def adapter() -> AsyncIterator[Adapter]:
    yield Adapter()
    await http.close()
