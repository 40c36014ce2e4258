from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.openai import OpenAi


@pytest.fixture
def openai() -> Iterator[OpenAi]:
    with OpenAi(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
