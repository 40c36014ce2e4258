from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.providers import http
from tests.providers.contract.spec import ProviderSpec, UnderTest


@pytest.fixture
def provider(
    request: pytest.FixtureRequest, connections: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UnderTest]:
    """The adapter of `request.param` and its emulator, with pauses shortened."""
    spec: ProviderSpec = request.param
    monkeypatch.setattr(http, "DOWNLOAD_PAUSES", (0.01, 0.01))
    for name, value in spec.shortened.items():
        monkeypatch.setattr(name, value)
    with spec.emulator(longest_side=64, key=spec.key) as emulator:
        yield UnderTest(spec, spec.adapter(), emulator)
