"""The portal's own keys in the operator's admin; those of workspaces are read-only there."""

from __future__ import annotations

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.test import Client

from editor.access import accounts
from editor.models import ProviderKey, User
from editor.providers.base import ErrorKind, ProviderError
from tests.factories import make_actor
from tests.fake_providers import KEY, SECRET, FakeProvider, install, save_key, store_portals_key
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/editor/providerkey/"


@pytest.fixture(autouse=True)
def fake_providers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProvider]:
    return install(monkeypatch)


@pytest.fixture
def client() -> Client:
    return signed_in(User.objects.create_superuser("operator@example.test"))


def add(client: Client, provider: str = "wiro", key: str = KEY, secret: str = SECRET) -> str:
    """Submit the form; returns the page with the errors, or "" if the key was accepted."""
    response = client.post(f"{LIST}add/", {"provider": provider, "api_key": key, "api_secret": secret})
    return "" if response.status_code == 302 else body(response)


def test_a_key_is_tested_and_becomes_the_portals(
    client: Client, fake_providers: dict[str, FakeProvider]
) -> None:
    assert add(client) == ""
    account = accounts.account(workspace=None, provider="wiro")
    assert account == fake_providers["wiro"].requested[0]
    assert (account.key, account.secret) == (KEY, SECRET)
    key = ProviderKey.objects.get()
    assert (key.workspace, key.note, key.checked_at is not None) == (None, "Credits left: 100", True)


def test_adding_another_key_replaces_it(client: Client) -> None:
    add(client)
    assert add(client, key="another-key-0000", secret="") == ""
    assert ProviderKey.objects.get().last_four == "0000"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": ""}, "This field is required"),
        ({"key": "short"}, "Enter a key of 8 to 500"),
        ({"provider": "sandbox"}, "Select a valid choice"),
        ({"provider": "bfl"}, "have no secret"),
    ],
)
def test_an_invalid_key_is_reported_in_the_form(client: Client, fields: dict[str, str], message: str) -> None:
    assert message in add(client, **fields)
    assert not ProviderKey.objects.exists()


def test_a_refused_key_is_reported_in_the_form_and_not_echoed(
    client: Client, fake_providers: dict[str, FakeProvider]
) -> None:
    fake_providers["wiro"].answer = ProviderError(ErrorKind.AUTH, "no")
    page = add(client)
    assert "Wiro does not accept this key" in page
    assert KEY not in page
    assert SECRET not in page
    assert not ProviderKey.objects.exists()


def test_a_key_can_be_disabled_and_deleted(client: Client) -> None:
    key = store_portals_key()
    assert client.post(f"{LIST}{key.pk}/change/", {}).status_code == 302
    assert accounts.account(workspace=None, provider="bfl") is None
    assert (
        client.post(f"{LIST}{key.pk}/change/", {"is_enabled": "on", "last_four": "xxxx"}).status_code == 302
    )
    assert accounts.account(workspace=None, provider="bfl") is not None
    assert ProviderKey.objects.get().last_four == "4f2a"
    assert client.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ProviderKey.objects.exists()


def test_disabling_does_not_affect_a_key_that_was_replaced_meanwhile(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = store_portals_key()
    plain = ModelAdmin.get_object

    def replaced_once_read(*arguments: object, **options: object) -> object:
        found = plain(*arguments, **options)  # type: ignore[arg-type]
        store_portals_key(key="another-key-0000")
        return found

    monkeypatch.setattr(ModelAdmin, "get_object", replaced_once_read)
    client.post(f"{LIST}{key.pk}/change/", {})
    row = ProviderKey.objects.get()
    assert (row.is_enabled, row.last_four) == (False, "0000")
    assert accounts.opened(row).key == "another-key-0000"
    assert row.updated_at > key.updated_at


def test_a_workspaces_key_is_read_only(client: Client) -> None:
    actor = make_actor()
    key = save_key(actor)
    page = body(client.get(f"{LIST}{key.pk}/change/"))
    assert actor.workspace.name in page
    assert 'name="is_enabled"' not in page
    assert client.post(f"{LIST}{key.pk}/change/", {}).status_code == 403
    assert client.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": str(key.pk), "post": "yes"}
    assert client.post(LIST, selected).status_code == 403
    assert ProviderKey.objects.get().is_enabled


def test_no_page_and_no_record_shows_more_than_the_last_four(client: Client) -> None:
    add(client)
    portals, theirs = ProviderKey.objects.get(), save_key(make_actor(), "wiro", KEY, SECRET)
    paths = ["", "add/", f"{portals.pk}/change/", f"{portals.pk}/history/", f"{portals.pk}/delete/"]
    pages = [client.get(LIST + path) for path in [*paths, f"{theirs.pk}/change/"]]
    assert {page.status_code for page in pages} == {200}
    reported = "".join(map(body, pages)) + repr(list(LogEntry.objects.values()))
    assert "4f2a" in reported
    for secret in (KEY, SECRET, bytes(portals.secret).decode(), bytes(theirs.secret).decode()):
        assert secret not in reported
