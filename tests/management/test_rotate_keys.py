"""`manage.py rotate_keys`: afterwards the first key alone decrypts everything."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from editor.access import accounts, signatures, vault
from editor.models import ApiKey, ProviderKey
from editor.operations import api_keys, jobs
from editor.operations.jobs import NewEdit
from editor.operations.webhooks import callbacks, endpoints
from editor.operations.webhooks.callbacks import Callback
from tests.factories import make_actor
from tests.fake_providers import KEY, SECRET, install, save_key, store_portals_key

pytestmark = pytest.mark.django_db

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One key of a workspace and one of the portal, encrypted with OLD."""
    install(monkeypatch)
    settings.ENCRYPTION_KEYS = [OLD]
    save_key(make_actor(), "wiro", KEY, SECRET)
    store_portals_key()


def rotate() -> str:
    printed = io.StringIO()
    call_command("rotate_keys", stdout=printed, stderr=printed)
    return printed.getvalue()


def test_everything_is_re_encrypted_and_a_second_run_changes_nothing(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "provider key: 2 re-encrypted" in rotate()
    rotated = dict(ProviderKey.objects.values_list("pk", "secret"))
    assert "provider key: 0 re-encrypted" in rotate()
    assert dict(ProviderKey.objects.values_list("pk", "secret")) == rotated
    settings.ENCRYPTION_KEYS = [NEW]
    for row in ProviderKey.objects.all():
        account = accounts.opened(row)
        assert (account.key, account.secret) == (KEY, SECRET if row.provider == "wiro" else "")


def test_a_key_that_cannot_be_decrypted_is_named_kept_and_an_error(settings: Settings) -> None:
    lost = ProviderKey.objects.get(provider="wiro")
    settings.ENCRYPTION_KEYS = ["x" * 32]
    secret = store_portals_key().secret
    settings.ENCRYPTION_KEYS = [NEW, "x" * 32]
    printed = io.StringIO()
    with pytest.raises(CommandError, match="decrypts 1 of them") as error:
        call_command("rotate_keys", stdout=printed, stderr=printed)
    assert error.value.returncode == 1
    assert f"wiro ··· 4f2a of {lost.workspace}" in printed.getvalue()
    assert "provider key: 1 re-encrypted" in printed.getvalue()
    assert ProviderKey.objects.get(pk=lost.pk).secret == lost.secret
    assert ProviderKey.objects.get(provider="bfl").secret != secret
    assert KEY not in printed.getvalue()


def test_secrets_of_webhooks_and_callbacks_are_rotated_too(settings: Settings) -> None:
    actor = make_actor(name="Hooks")
    url = "https://hooks.example/"
    endpoint, secret = endpoints.create(actor=actor, url=url, events=["job.failed"], origin=url)
    callback = Callback(url=url, secret="of the call", origin=url)
    job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour", callback=callback))
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "webhook secret: 2 re-encrypted" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    endpoint.refresh_from_db()
    job.refresh_from_db()
    assert vault.decrypt(purpose=endpoints.purpose(endpoint.id), token=endpoint.secret) == secret
    assert job.callback_secret is not None
    assert vault.decrypt(purpose=callbacks.purpose(job.id), token=job.callback_secret) == "of the call"


def test_signing_secrets_are_re_encrypted(settings: Settings) -> None:
    actor = make_actor(name="Signers")
    key, _ = api_keys.create(actor=actor, name="Wiro", signed=True)
    lost, _ = api_keys.create(actor=actor, name="Lost", signed=True)
    api_keys.create(actor=actor, name="Plain")
    secret = signatures.secret_of(key)
    ApiKey.objects.filter(pk=lost.pk).update(signing_secret=key.signing_secret)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    printed = io.StringIO()
    with pytest.raises(CommandError, match="decrypts 1 of them"):
        call_command("rotate_keys", stdout=printed, stderr=printed)
    assert "signing secret: 1 re-encrypted" in printed.getvalue()
    assert f"the secret of the API key Lost ({lost.public_id}) of Signers" in printed.getvalue()
    settings.ENCRYPTION_KEYS = [NEW]
    key.refresh_from_db()
    assert signatures.secret_of(key) == secret
