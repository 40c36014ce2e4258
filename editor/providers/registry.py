"""The list of providers. Adding one takes a folder and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from editor.providers.base import ErrorKind, Provider, ProviderError
from editor.providers.bfl.adapter import Bfl
from editor.providers.fal.adapter import Fal
from editor.providers.google.adapter import Google
from editor.providers.kie.adapter import Kie
from editor.providers.openai.adapter import OpenAi
from editor.providers.sandbox.adapter import Sandbox
from editor.providers.wiro.adapter import Wiro


@cache
def providers() -> Mapping[str, Provider]:
    """All providers by name. Built once, on first use."""
    installed: tuple[Provider, ...] = (
        Sandbox(),  # no key needed
        Bfl(),
        OpenAi(),
        Google(),
        Fal(),
        Wiro(),
        Kie(),
    )
    return MappingProxyType({provider.name: provider for provider in installed})


def get(name: str) -> Provider:
    """The provider of that name. Raises ProviderError (UNAVAILABLE) if it is not installed."""
    try:
        return providers()[name]
    except KeyError:
        raise ProviderError(ErrorKind.UNAVAILABLE, f"The provider “{name}” is not installed here.") from None
