from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers.google.adapter import Google as Adapter
from tests.emulators.google import Google


@pytest.fixture
def google() -> Iterator[Google]:
    with Google(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def adapter(connections: None) -> Adapter:
    return Adapter()
