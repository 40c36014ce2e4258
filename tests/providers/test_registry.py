from __future__ import annotations

import subprocess
import sys

import pytest

from editor.providers import registry
from editor.providers.base import ErrorKind, ProviderError


def test_the_sandbox_is_always_registered() -> None:
    assert registry.get("sandbox").label == "Built-in sandbox"
    assert registry.providers()["sandbox"] is registry.get("sandbox")


def test_every_provider_is_registered_under_its_own_name() -> None:
    assert all(name == provider.name for name, provider in registry.providers().items())


def test_an_unknown_provider_is_unavailable() -> None:
    with pytest.raises(ProviderError, match="not installed") as caught:
        registry.get("nobody")
    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_providers_do_not_import_django() -> None:
    program = (
        "import sys; from editor.providers import registry; registry.providers();"
        "print('django' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
