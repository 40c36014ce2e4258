"""API keys: shown once, kept as a hash, ended at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.errors import InvalidInput
from editor.models import ApiKey, AuditEntry, User, Workspace
from editor.operations import api_keys
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> User:
    return workspace.members.get()


def test_a_new_key_is_found_by_its_text_and_kept_without_it(workspace: Workspace, owner: User) -> None:
    key, bare = api_keys.create(workspace=workspace, created_by=owner, name="n8n")
    assert api_keys.find(bare) == key
    assert key.is_live
    assert bare.startswith(f"flk_{key.public_id}")
    secret = bare[12:44]
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert AuditEntry.objects.filter(action="api_key.created", actor=owner).count() == 1
    assert secret not in str(AuditEntry.objects.values())


def test_no_two_keys_are_alike(workspace: Workspace, owner: User) -> None:
    bare = {api_keys.create(workspace=workspace, created_by=owner, name="n8n")[1] for _ in range(20)}
    assert len(bare) == 20


def test_every_other_text_finds_nothing(
    workspace: Workspace, owner: User, django_assert_num_queries: object
) -> None:
    _, bare = api_keys.create(workspace=workspace, created_by=owner, name="n8n")
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
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert [api_keys.find(text) for text in wrong] == [None] * len(wrong)


def test_a_key_with_a_right_checksum_and_a_wrong_secret_finds_nothing(
    workspace: Workspace, owner: User
) -> None:
    key, bare = api_keys.create(workspace=workspace, created_by=owner, name="n8n")
    forged = key.public_id + "0" * 32
    assert api_keys.find(f"flk_{forged}{api_keys._checksum(forged)}") is None
    assert api_keys.find(bare) == key


def test_scopes_are_known_and_said_once(workspace: Workspace, owner: User) -> None:
    scopes = ["image_editor", "image_editor"]
    key, _ = api_keys.create(workspace=workspace, created_by=owner, name="n8n", scopes=scopes)
    assert key.scopes == ["image_editor"]
    with pytest.raises(InvalidInput, match="everything"):
        api_keys.create(workspace=workspace, created_by=owner, name="n8n", scopes=["everything"])


def test_a_key_with_an_end_is_found_but_dead_after_it(workspace: Workspace, owner: User) -> None:
    key, bare = api_keys.create(workspace=workspace, created_by=owner, name="n8n", expires_in=60)
    assert key.expires_at and key.is_live
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    found = api_keys.find(bare)
    assert found and not found.is_live


@pytest.mark.parametrize("seconds", [0, -1, api_keys.LONGEST_LIFE + 1])
def test_a_life_that_makes_no_sense_is_refused(workspace: Workspace, owner: User, seconds: int) -> None:
    with pytest.raises(InvalidInput):
        api_keys.create(workspace=workspace, created_by=owner, name="n8n", expires_in=seconds)
    assert not ApiKey.objects.exists()


def test_revoking_ends_a_key_once(workspace: Workspace, owner: User) -> None:
    key, bare = api_keys.create(workspace=workspace, created_by=owner, name="n8n")
    api_keys.revoke(key=key, actor=owner)
    first = ApiKey.objects.get().revoked_at
    api_keys.revoke(key=key, actor=owner)
    found = api_keys.find(bare)
    assert found and not found.is_live
    assert ApiKey.objects.get().revoked_at == first
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1
