"""Provider keys: tested before they are stored, enabled, disabled, removed, and never shown."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from pytest_django import Settings

from editor.access import accounts, lookups
from editor.access.actor import Actor
from editor.errors import EditorError, InvalidInput, NotFound, PermissionDenied, Unprocessable
from editor.models import AuditEntry, Plan, ProviderKey, Role
from editor.operations import provider_keys
from editor.providers import failures
from editor.providers.base import Account, ErrorKind, ProviderError
from tests.factories import make_actor, make_member
from tests.fake_providers import KEY, SECRET, FakeProvider, install, save_key, store_portals_key

pytestmark = pytest.mark.django_db

REFUSED = ProviderError(ErrorKind.AUTH, "no")
BUSY = failures.temporary(provider_message="Come back at noon.")
NO_FUNDS = failures.failure(ErrorKind.INSUFFICIENT_FUNDS)
STRANGE = failures.failure(ErrorKind.INVALID_INPUT, provider_message="No such page.")


@pytest.fixture
def fake_providers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProvider]:
    return install(monkeypatch)


@pytest.fixture
def actor(fake_providers: dict[str, FakeProvider]) -> Actor:
    return make_actor()


def again(actor: Actor, key: ProviderKey) -> ProviderKey:
    """Test a stored key and return its row."""
    async_to_sync(provider_keys.test)(actor=actor, key=key)
    return ProviderKey.objects.get(pk=key.pk)


# --- Saving ------------------------------------------------------------------------------


def test_a_key_is_tested_then_stored_encrypted_with_the_providers_note(
    actor: Actor, fake_providers: dict[str, FakeProvider]
) -> None:
    key = save_key(actor, "wiro", f"  {KEY}\n", SECRET)
    assert fake_providers["wiro"].requested == [
        Account(base_url="https://api.wiro.example", key=KEY, secret=SECRET)
    ]
    stored = (key.provider, key.last_four, key.is_enabled, key.note)
    assert stored == ("wiro", "4f2a", True, "Credits left: 100")
    assert key.checked_at is not None
    row = ProviderKey.objects.filter(pk=key.pk).values().get()
    assert not any(text in f"{value!r}" for value in row.values() for text in (KEY, SECRET))
    assert accounts.opened(ProviderKey.objects.get(pk=key.pk)).key == KEY


def test_a_refused_key_does_not_replace_the_stored_one(
    actor: Actor, fake_providers: dict[str, FakeProvider]
) -> None:
    save_key(actor)
    fake_providers["bfl"].answer = REFUSED
    with pytest.raises(InvalidInput, match="Black Forest Labs does not accept this key") as error:
        save_key(actor, key="another-key-0000")
    assert set(error.value.fields) == {"key"}
    assert ProviderKey.objects.get().last_four == "4f2a"


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (BUSY, "could not be tested. Test it again later. It said: “Come back at noon.”"),
        (NO_FUNDS, "accepts this key, but its account has no funds left."),
        (STRANGE, "gave an unexpected response to the test of this key. It said: “No such page.”"),
    ],
    ids=["busy", "no funds", "strange"],
)
def test_a_key_that_is_not_refused_is_stored_with_a_note(
    actor: Actor, fake_providers: dict[str, FakeProvider], answer: ProviderError, note: str
) -> None:
    fake_providers["bfl"].answer = answer
    key = save_key(actor)
    assert key.checked_at is None
    assert key.note.endswith(note)


def test_the_test_of_a_key_times_out(
    actor: Actor, fake_providers: dict[str, FakeProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_keys, "CHECK_SECONDS", 0.05)
    fake_providers["bfl"].answer = None
    key = save_key(actor)
    assert key.checked_at is None
    assert "did not respond" in key.note


def test_a_new_key_replaces_the_old_one_and_stays_disabled(actor: Actor) -> None:
    first = save_key(actor)
    provider_keys.set_enabled(actor=actor, key=first, enabled=False)
    second = save_key(actor, key="another-key-0000")
    assert ProviderKey.objects.get() == first == second
    assert (second.last_four, second.is_enabled) == ("0000", False)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "k" * 501,
        "two words of text",
        "a\nheader: injected",
        "schlüssel-mit-umlaut",
        "nul\0-key-123",
    ],
)
def test_a_malformed_key_is_refused_without_a_request(
    actor: Actor, fake_providers: dict[str, FakeProvider], key: str
) -> None:
    for field, texts in (("key", {"key": key}), ("secret", {"key": KEY, "secret": key or " x "})):
        with pytest.raises(InvalidInput) as error:
            async_to_sync(provider_keys.save_and_test)(actor=actor, provider="wiro", **texts)
        assert set(error.value.fields) == {field}
    assert not fake_providers["wiro"].requested
    assert not ProviderKey.objects.exists()


def test_a_secret_is_refused_for_a_provider_without_secrets(actor: Actor) -> None:
    with pytest.raises(InvalidInput) as error:
        save_key(actor, "bfl", KEY, SECRET)
    assert set(error.value.fields) == {"secret"}


@pytest.mark.parametrize("provider", ["sandbox", "nobody", ""])
def test_a_provider_without_keys_is_not_found(actor: Actor, provider: str) -> None:
    with pytest.raises(NotFound):
        save_key(actor, provider)


def test_the_provider_is_called_without_holding_a_database_connection(
    actor: Actor, fake_providers: dict[str, FakeProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[int] = []
    monkeypatch.setattr(
        "editor.concurrency.threads.release", lambda: released.append(len(fake_providers["bfl"].requested))
    )
    save_key(actor)
    assert released == [0], "given back once, before the provider is asked"


# --- Testing, switching, removing ----------------------------------------------------------


def test_a_test_updates_the_note_and_the_time(actor: Actor, fake_providers: dict[str, FakeProvider]) -> None:
    key = save_key(actor)
    fake_providers["bfl"].answer = REFUSED
    refused = again(actor, key)
    assert refused.checked_at is None
    assert "does not accept this key" in refused.note
    fake_providers["bfl"].answer = "Credits left: 7"
    accepted = again(actor, refused)
    assert accepted.checked_at is not None
    assert accepted.note == "Credits left: 7"


def test_an_unavailable_provider_does_not_invalidate_the_key(
    actor: Actor, fake_providers: dict[str, FakeProvider]
) -> None:
    key = save_key(actor)
    fake_providers["bfl"].answer = BUSY
    tested = again(actor, key)
    assert tested.checked_at == key.checked_at
    assert "could not be tested" in tested.note


def test_a_key_that_cannot_be_decrypted_names_the_setting_to_fix(
    actor: Actor, fake_providers: dict[str, FakeProvider], settings: Settings
) -> None:
    key = save_key(actor)
    fake_providers["bfl"].requested.clear()
    settings.ENCRYPTION_KEYS = ["x" * 32]
    tested = again(actor, key)
    assert tested.checked_at is None
    assert "ENCRYPTION_KEYS" in tested.note
    assert not fake_providers["bfl"].requested


def test_a_test_result_is_not_recorded_for_a_key_that_replaced_the_tested_one(
    actor: Actor, fake_providers: dict[str, FakeProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = save_key(actor)

    async def replaced_meanwhile(account: Account) -> str:
        await sync_to_async(store)()
        raise REFUSED

    def store() -> None:
        verdict = provider_keys.Verdict(accepted=True, note="The new one works.")
        provider_keys.store(
            workspace=actor.workspace, provider="bfl", key="another-key-0000", secret="", verdict=verdict
        )

    monkeypatch.setattr(fake_providers["bfl"], "check", replaced_meanwhile)
    assert again(actor, key).note == "The new one works."


def test_a_key_is_disabled_enabled_and_removed(actor: Actor) -> None:
    key = save_key(actor)
    for enabled in (False, False, True):
        provider_keys.set_enabled(actor=actor, key=key, enabled=enabled)
        assert ProviderKey.objects.get().is_enabled is enabled
    provider_keys.remove(actor=actor, key=key)
    provider_keys.remove(actor=actor, key=key)
    assert not ProviderKey.objects.exists()
    acts = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert [act.removeprefix("provider_key.") for act in acts if act.startswith("provider_key")] == [
        "saved",
        "disabled",
        "enabled",
        "removed",
    ]


# --- Permissions ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_managers_manage_keys(actor: Actor, fake_providers: dict[str, FakeProvider], role: Role) -> None:
    key = save_key(actor)
    fake_providers["bfl"].requested.clear()
    other = make_actor(actor.workspace, user=make_member(actor.workspace, role=role))
    for act in (
        lambda: save_key(other, key="another-key-0000"),
        lambda: again(other, key),
        lambda: provider_keys.set_enabled(actor=other, key=key, enabled=False),
        lambda: provider_keys.set_enabled(actor=other, key=key, enabled=True),
        lambda: provider_keys.remove(actor=other, key=key),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert not fake_providers["bfl"].requested
    unchanged = ProviderKey.objects.get()
    assert (unchanged.last_four, unchanged.is_enabled) == ("4f2a", True)


def test_an_admin_can_save_a_key(actor: Actor) -> None:
    admin = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.ADMIN))
    assert save_key(admin).workspace == actor.workspace


def test_without_own_keys_in_the_plan_a_key_can_only_be_disabled_or_removed(actor: Actor) -> None:
    key = save_key(actor)
    Plan.objects.update(own_keys=False)
    poorer = make_actor(actor.workspace, user=actor.user)
    for act in (
        lambda: save_key(poorer),
        lambda: again(poorer, key),
        lambda: provider_keys.set_enabled(actor=poorer, key=key, enabled=True),
    ):
        with pytest.raises(Unprocessable, match="plan"):
            act()
    provider_keys.set_enabled(actor=poorer, key=key, enabled=False)
    provider_keys.remove(actor=poorer, key=key)
    assert not ProviderKey.objects.exists()


def test_a_key_of_another_workspace_or_of_the_portal_is_not_found(actor: Actor) -> None:
    mine = save_key(actor)
    assert lookups.provider_key(actor, mine.pk) == mine
    theirs = save_key(make_actor(name="Rivals"))
    for other in (theirs, store_portals_key()):
        with pytest.raises(NotFound):
            lookups.provider_key(actor, other.pk)


# --- Secrets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", ["Credits left: 3", REFUSED, BUSY, NO_FUNDS], ids=["ok", "refused", "busy", "poor"]
)
def test_keys_are_not_leaked(
    actor: Actor,
    fake_providers: dict[str, FakeProvider],
    caplog: pytest.LogCaptureFixture,
    answer: str | ProviderError,
) -> None:
    caplog.set_level("DEBUG")
    fake_providers["wiro"].answer = answer
    reported = ""
    try:
        key = save_key(actor, "wiro", KEY, SECRET)
        again(actor, key)
        reported = f"{key} {key!r} {key.note}"
    except EditorError as error:
        reported = f"{error} {error!r} {error.fields}"
    reported += caplog.text + repr(list(AuditEntry.objects.values()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(editor_providerkey)::text FROM editor_providerkey")
        reported += str(cursor.fetchall())
    assert KEY not in reported
    assert SECRET not in reported
