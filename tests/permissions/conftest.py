"""Providers that accept every key, without a network."""

from __future__ import annotations

import pytest

from tests.fake_providers import install


@pytest.fixture(autouse=True)
def fake_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
