"""Which key an edit may use."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from editor.access import accounts, vault
from editor.access.actor import Actor
from editor.models import Plan, ProviderKey
from editor.operations import provider_keys
from editor.providers.base import Account, ProviderError
from tests.factories import make_actor
from tests.fake_providers import KEY, SECRET, install, save_key, store_portals_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_accounts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three providers, no key in the environment."""
    install(monkeypatch)
    empty = {"base_url": "", "key": "", "secret": ""}
    settings.PROVIDERS = {name: dict(empty) for name in ("bfl", "fal", "wiro", "kie")}


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def test_a_workspace_uses_its_own_key_at_the_public_address(actor: Actor) -> None:
    save_key(actor, "wiro", KEY, SECRET)
    account = accounts.account(workspace=actor.workspace, provider="wiro")
    assert account == Account(base_url="https://api.wiro.example", key=KEY, secret=SECRET)


def test_an_operators_base_url_applies_to_every_key(actor: Actor, settings: Settings) -> None:
    save_key(actor)
    settings.PROVIDERS["bfl"] |= {"base_url": "http://10.0.0.7:8000", "key": "the-portals"}
    for workspace, key in ((actor.workspace, KEY), (None, "the-portals")):
        account = accounts.account(workspace=workspace, provider="bfl")
        assert account == Account(base_url="http://10.0.0.7:8000", key=key)


def test_a_missing_account_is_never_replaced_by_another(actor: Actor, settings: Settings) -> None:
    other = make_actor(name="Rivals")
    save_key(other)
    settings.PROVIDERS["bfl"]["key"] = "the-portals"
    assert accounts.account(workspace=actor.workspace, provider="bfl") is None
    assert accounts.account(workspace=other.workspace, provider="fal") is None
    settings.PROVIDERS["bfl"]["key"] = ""
    assert accounts.account(workspace=None, provider="bfl") is None


def test_the_portals_key_comes_from_the_environment_before_the_admin(settings: Settings) -> None:
    store_portals_key("wiro", KEY, SECRET)
    assert accounts.account(workspace=None, provider="wiro") == Account(
        base_url="https://api.wiro.example", key=KEY, secret=SECRET
    )
    settings.PROVIDERS["wiro"] |= {"key": "from-the-environment", "secret": "half"}
    assert accounts.account(workspace=None, provider="wiro") == Account(
        base_url="https://api.wiro.example", key="from-the-environment", secret="half"
    )


def test_a_disabled_key_is_not_used(actor: Actor) -> None:
    provider_keys.set_enabled(actor=actor, key=save_key(actor), enabled=False)
    ProviderKey.objects.filter(pk=store_portals_key().pk).update(is_enabled=False)
    assert accounts.account(workspace=actor.workspace, provider="bfl") is None
    assert accounts.account(workspace=None, provider="bfl") is None


def test_a_secret_copied_to_another_row_is_not_used(actor: Actor) -> None:
    """Otherwise, whoever can write to the database could use somebody else's key."""
    victim = save_key(make_actor(name="Rivals"))
    mine = save_key(actor, key="my-own-key-0000")
    ProviderKey.objects.filter(pk=mine.pk).update(secret=victim.secret)
    with pytest.raises(vault.Unreadable):
        accounts.account(workspace=actor.workspace, provider="bfl")


def test_a_row_moved_to_another_workspace_cannot_be_decrypted(actor: Actor) -> None:
    victim = save_key(make_actor(name="Rivals"))
    ProviderKey.objects.filter(pk=victim.pk).update(workspace=actor.workspace)
    with pytest.raises(vault.Unreadable):
        accounts.account(workspace=actor.workspace, provider="bfl")


def test_a_key_is_sent_only_to_its_own_provider(actor: Actor) -> None:
    key = save_key(actor)
    ProviderKey.objects.filter(pk=key.pk).update(provider="fal")
    with pytest.raises(vault.Unreadable):
        accounts.account(workspace=actor.workspace, provider="fal")


def test_an_accounts_repr_contains_no_key(actor: Actor) -> None:
    save_key(actor, "wiro", KEY, SECRET)
    account = accounts.account(workspace=actor.workspace, provider="wiro")
    assert KEY not in repr(account)
    assert SECRET not in repr(account)


def test_a_provider_that_is_not_installed_has_no_account() -> None:
    with pytest.raises(ProviderError):
        accounts.given(provider="nobody", key=KEY)
    assert accounts.account(workspace=None, provider="nobody") is None


def test_the_portal_has_one_key_for_each_provider() -> None:
    key = store_portals_key()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderKey.objects.create(workspace=None, provider="bfl", secret=key.secret, last_four="4f2a")


def test_available_accounts_take_one_query_and_no_decryption(actor: Actor, settings: Settings) -> None:
    save_key(actor)
    save_key(make_actor(name="Rivals"), "fal")
    store_portals_key("wiro")
    settings.PROVIDERS["fal"]["key"] = "from-the-environment"
    settings.PROVIDERS["kie"]["key"] = "of-a-provider-that-is-not-installed"
    settings.ENCRYPTION_KEYS = ["x" * 32]
    with CaptureQueriesContext(connection) as queries:
        found = accounts.available(actor.workspace)
    assert found == accounts.Providers(platform=frozenset({"fal", "wiro"}), own=frozenset({"bfl"}))
    assert len(queries) == 1


def test_a_disabled_key_is_not_available(actor: Actor) -> None:
    save_key(actor)
    store_portals_key()
    ProviderKey.objects.update(is_enabled=False)
    assert accounts.available(actor.workspace) == accounts.Providers(frozenset(), frozenset())


def test_own_keys_are_available_if_the_plan_includes_them(actor: Actor) -> None:
    save_key(actor)
    store_portals_key("fal")
    Plan.objects.update(own_keys=False)
    assert accounts.available(actor.workspace) == accounts.Providers(frozenset({"fal"}), frozenset())
