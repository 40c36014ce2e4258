"""The registry's entry for each provider, including the sandbox."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from editor.providers import registry
from tests.emulators.registry import EMULATORS
from tests.providers.contract.spec import ProviderSpec
from tests.providers.contract.specs import SPECS

PROVIDERS = registry.providers()


def test_every_provider_with_a_server_is_under_contract():
    with_a_server = {name for name, provider in PROVIDERS.items() if provider.public_url}

    assert {spec.name for spec in SPECS} == with_a_server == set(EMULATORS)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_registry_agrees_with_the_spec(spec: ProviderSpec):
    provider = registry.get(spec.name)

    assert type(provider) is spec.adapter
    assert (provider.label, provider.public_url) == (spec.label, spec.public_url)
    assert provider.limits(spec.target) == spec.limits
    assert not provider.idempotent  # each submit is paid for


def test_every_provider_implements_the_protocol():
    for name, provider in PROVIDERS.items():
        assert name.isidentifier(), name
        assert name == name.lower()
        assert provider.label, name
        assert provider.needs_key == bool(provider.public_url), name
        url = urlsplit(provider.public_url)
        assert (url.scheme, url.path, url.query) == ("https" if provider.needs_key else "", "", ""), name
        assert provider.shortest_wait >= 0, name
        assert all(most > 0 for most in provider.limits("any model").values()), name
