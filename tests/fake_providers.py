"""Fake providers with keys, for tests of how the portal handles keys and the results of checking them."""

from __future__ import annotations

import asyncio
from types import MappingProxyType

import pytest
from asgiref.sync import async_to_sync

from editor.access.actor import Actor
from editor.models import ProviderKey
from editor.operations import provider_keys
from editor.providers import registry
from editor.providers.base import Account, EditRequest, Progress, Provider, ProviderError, Result, Submitted
from editor.providers.sandbox.adapter import Sandbox

KEY = "key-that-nobody-may-see-again-4f2a"
SECRET = "secret-that-nobody-may-see-either-9z9z"


class FakeProvider(Provider):
    """`check` returns or raises `answer`; with None it never returns. `asked`: the checked accounts."""

    def __init__(self, name: str, label: str) -> None:
        self.name, self.label, self.public_url = name, label, f"https://api.{name}.example"
        self.answer: str | ProviderError | None = "Credits left: 100"
        self.requested: list[Account] = []

    async def submit(self, request: EditRequest) -> Submitted:
        raise NotImplementedError

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        raise NotImplementedError

    async def check(self, account: Account) -> str:
        self.requested.append(account)
        if isinstance(self.answer, ProviderError):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        return self.answer or ""


def install(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProvider]:
    """Replace the real providers by three fakes, beside the sandbox, which needs no key."""
    fake_providers = {
        "bfl": FakeProvider("bfl", "Black Forest Labs"),
        "fal": FakeProvider("fal", "fal"),
        "wiro": FakeProvider("wiro", "Wiro"),
    }
    installed = MappingProxyType({"sandbox": Sandbox(), **fake_providers})
    monkeypatch.setattr(registry, "providers", lambda: installed)
    return fake_providers


def save_key(actor: Actor, provider: str = "bfl", key: str = KEY, secret: str = "") -> ProviderKey:
    """The workspace's own key, as stored by its settings page."""
    return async_to_sync(provider_keys.save_and_test)(actor=actor, provider=provider, key=key, secret=secret)


def store_portals_key(provider: str = "bfl", key: str = KEY, secret: str = "") -> ProviderKey:
    """The portal's own key, as stored by the admin."""
    verdict = provider_keys.Verdict(accepted=True, note="")
    return provider_keys.store(workspace=None, provider=provider, key=key, secret=secret, verdict=verdict)
