"""API keys: shown once, stored as a hash, last use recorded, revoked immediately."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from editor.access import signatures, vault
from editor.access.actor import Actor
from editor.access.scopes import EVERYTHING, MANAGE, READ, WRITE
from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import ApiKey, AuditEntry, Membership, Role
from editor.operations import api_keys, key_text, last_used
from tests.factories import make_actor
from tests.operations.key_rows import colleague, fill_up, noted

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


# --- Creating and finding ----------------------------------------------------------------


def test_a_new_key_is_found_by_its_text_which_is_not_stored(actor: Actor) -> None:
    key, bare = api_keys.create(actor=actor, name=" n8n ")
    assert api_keys.find(bare) == key
    assert (key.name, key.created_by, key.scopes, key.is_live) == ("n8n", actor.user, [EVERYTHING], True)
    assert bare.startswith(f"flk_{key.public_id}")
    secret = bare[12:44]
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert noted("created").actor == actor.user
    assert secret not in str(AuditEntry.objects.values())


def test_keys_are_unique(actor: Actor) -> None:
    assert len({api_keys.create(actor=actor, name="n8n")[1] for _ in range(20)}) == 20


def test_any_other_text_finds_no_key(actor: Actor, django_assert_num_queries: Any) -> None:
    _, bare = api_keys.create(actor=actor, name="n8n")
    other = "a" if bare[20] != "a" else "b"
    wrong = [
        "",
        "flk_",
        bare[4:],
        bare[:-1],
        bare + "0",
        bare.lower() if bare.lower() != bare else bare.upper(),
        bare[:20] + other + bare[21:],
        f" {bare}",
        f"{bare}\n",
        "flk_" + "é" * 46,
        "flk_" + "\0" * 46,
        "' OR 1=1 --",
        "x" * 100_000,
    ]
    with django_assert_num_queries(0):
        assert [api_keys.find(text) for text in wrong] == [None] * len(wrong)


def test_a_correct_checksum_with_a_wrong_secret_finds_no_key(actor: Actor) -> None:
    key, bare = api_keys.create(actor=actor, name="n8n")
    forged = key.public_id + "0" * 32
    assert api_keys.find(f"flk_{forged}{key_text.checksum(forged)}") is None
    assert api_keys.find(bare) == key


def test_scopes_are_validated_and_deduplicated(actor: Actor) -> None:
    key, _ = api_keys.create(actor=actor, name="n8n", scopes=[WRITE, READ, WRITE])
    assert key.scopes == [READ, WRITE]
    with pytest.raises(InvalidInput, match="everything"):
        api_keys.create(actor=actor, name="n8n", scopes=["everything"])


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines", "nul\0", "\ud800"])
def test_a_name_is_one_line_of_at_most_eighty_characters(actor: Actor, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        api_keys.create(actor=actor, name=name)
    assert set(refused.value.fields) == {"name"}
    assert not ApiKey.objects.exists()
    assert api_keys.create(actor=actor, name="é" * 80)[0].name == "é" * 80


def test_an_expired_key_is_found_but_not_live(actor: Actor) -> None:
    key, bare = api_keys.create(actor=actor, name="n8n", expires_in=3600)
    assert key.expires_at and key.is_live
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    found = api_keys.find(bare)
    assert found and not found.is_live


@pytest.mark.parametrize("seconds", [0, -1, api_keys.LONGEST_LIFE + 1])
def test_an_invalid_lifetime_is_refused(actor: Actor, seconds: int) -> None:
    with pytest.raises(InvalidInput):
        api_keys.create(actor=actor, name="n8n", expires_in=seconds)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "rights",
    [
        {"role": Role.VIEWER},
        {"access_image_editor": False},
        {"role": Role.OWNER, "access_image_editor": False},
    ],
    ids=str,
)
def test_a_member_who_may_not_edit_cannot_create_keys_that_edit(actor: Actor, rights: dict[str, Any]) -> None:
    with pytest.raises(PermissionDenied):
        api_keys.create(actor=colleague(actor, **rights), name="n8n", scopes=[WRITE])
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("scopes", [[MANAGE], [READ]])
def test_an_admin_who_may_not_edit_creates_keys_that_do_not_edit(actor: Actor, scopes: list[str]) -> None:
    admin = colleague(actor, Role.ADMIN, access_image_editor=False)
    assert api_keys.create(actor=admin, name="n8n", scopes=scopes)[0].created_by == admin.user


def test_a_form_that_is_submitted_twice_makes_one_key(actor: Actor) -> None:
    key_id = uuid.uuid4()
    key, _ = api_keys.create(actor=actor, name="n8n", key_id=key_id)
    for somebody in (actor, make_actor(name="Rivals")):
        with pytest.raises(Conflict, match="already been created"):
            api_keys.create(actor=somebody, name="again", key_id=key_id)
    assert ApiKey.objects.get() == key
    assert noted("created").target == str(key)


def test_a_workspace_has_a_limited_number_of_live_keys(actor: Actor) -> None:
    fill_up(actor)
    with pytest.raises(Conflict, match="at most 50"):
        api_keys.create(actor=colleague(actor), name="one more")
    api_keys.create(actor=make_actor(name="Rivals"), name="theirs")
    api_keys.revoke(actor=actor, key=ApiKey.objects.filter(workspace=actor.workspace)[0])
    api_keys.create(actor=actor, name="one more")


def test_concurrent_creation_does_not_exceed_the_limit(committed: None) -> None:
    actor = make_actor()
    fill_up(actor, api_keys.LIVE_KEYS - 1)

    def attempt(number: int) -> bool:
        try:
            api_keys.create(actor=actor, name=str(number))
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(8)))
    assert outcomes.count(True) == 1
    assert ApiKey.objects.count() == api_keys.LIVE_KEYS


# --- Revoking ----------------------------------------------------------------------------


def test_a_key_is_revoked_once(actor: Actor) -> None:
    key, bare = api_keys.create(actor=actor, name="n8n")
    api_keys.revoke(actor=actor, key=key)
    first = ApiKey.objects.get().revoked_at
    api_keys.revoke(actor=actor, key=key)
    found = api_keys.find(bare)
    assert found and not found.is_live
    assert ApiKey.objects.get().revoked_at == first
    assert (noted("revoked").actor, noted("revoked").target) == (actor.user, str(key))


def test_members_revoke_their_own_keys_and_managers_any(actor: Actor) -> None:
    editor = colleague(actor)
    own, others = (api_keys.create(actor=editor, name="n8n")[0] for _ in range(2))
    with pytest.raises(PermissionDenied):
        api_keys.revoke(actor=colleague(actor), key=own)
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    Membership.objects.filter(user=editor.user).update(role=Role.VIEWER)
    api_keys.revoke(actor=make_actor(actor.workspace, user=editor.user), key=own)
    api_keys.revoke(actor=colleague(actor, Role.ADMIN), key=others)
    assert not ApiKey.objects.filter(revoked_at=None).exists()


# --- Last used ---------------------------------------------------------------------------


def test_last_use_is_recorded_at_most_once_a_minute(actor: Actor, django_assert_num_queries: Any) -> None:
    key, _ = api_keys.create(actor=actor, name="n8n")
    other, _ = api_keys.create(actor=actor, name="other")

    def noted() -> Any:
        return ApiKey.objects.values_list("last_used_at", flat=True).get(pk=key.pk)

    before = timezone.now()
    with django_assert_num_queries(1):
        last_used.note_key(key)
    first = noted()
    assert before <= first <= timezone.now()
    last_used.note_key(key)  # as a process that read the key earlier
    assert noted() == first
    key.refresh_from_db()
    with django_assert_num_queries(0):
        last_used.note_key(key)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(minutes=1))
    key.refresh_from_db()
    last_used.note_key(key)
    assert noted() > first
    other.refresh_from_db()
    assert other.last_used_at is None


def test_a_signing_secret_is_encrypted_for_its_own_key_only(actor: Actor) -> None:
    key, _ = api_keys.create(actor=actor, name="Wiro", signed=True)
    other, _ = api_keys.create(actor=actor, name="Wiro", signed=True)
    secret = signatures.secret_of(ApiKey.objects.get(pk=key.pk))
    assert len(secret) == 40 and secret.isalnum()
    assert secret.encode() not in bytes(key.signing_secret or b"")
    other.signing_secret = key.signing_secret
    with pytest.raises(vault.Unreadable):
        signatures.secret_of(other)
    assert signatures.secret_of(api_keys.create(actor=actor, name="n8n")[0]) == ""
