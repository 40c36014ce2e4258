"""Which providers there are. Adding one is a folder and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from editor.providers.base import ErrorKind, Provider, ProviderError
from editor.providers.sandbox.adapter import Sandbox


@cache
def providers() -> Mapping[str, Provider]:
    """All providers by name. Built once, when first asked for."""
    installed: tuple[Provider, ...] = (
        Sandbox(),  # no key needed
    )
    return MappingProxyType({provider.name: provider for provider in installed})


def get(name: str) -> Provider:
    """The provider of that name. Raises ProviderError (unavailable) when it is not installed."""
    try:
        return providers()[name]
    except KeyError:
        raise ProviderError(ErrorKind.UNAVAILABLE, f"The provider “{name}” is not installed here.") from None
