from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from editor.providers import http
from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.openai import OpenAi


@pytest.fixture
def openai() -> Iterator[OpenAi]:
    with OpenAi(longest_side=64, key="sk-planted-secret") as emulator:
        yield emulator


@pytest_asyncio.fixture
async def adapter() -> AsyncIterator[Adapter]:
    yield Adapter()
    await http.close()
