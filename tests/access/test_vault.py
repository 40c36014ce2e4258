"""Secrets at rest: only the right key decrypts them, and only in their own row."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from editor.access import vault

OLD, NEW, OTHER = "old key, long enough to be one…", "n" * 32, "o" * 32
TEXT = "a text that nobody may see"


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


def test_an_encrypted_secret_is_decrypted_and_not_readable() -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    assert TEXT.encode() not in token
    assert vault.decrypt(purpose="a row", token=token) == TEXT
    assert vault.decrypt(purpose="a row", token=memoryview(token)) == TEXT


def test_the_same_text_is_never_encrypted_the_same_way() -> None:
    assert vault.encrypt(purpose="a row", text=TEXT) != vault.encrypt(purpose="a row", text=TEXT)


def test_it_cannot_be_decrypted_for_another_row() -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    with pytest.raises(vault.Unreadable) as error:
        vault.decrypt(purpose="another row", token=token)
    assert TEXT not in error.value.message


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[:9] + b"x" + token[10:]])
def test_tampered_secrets_are_not_decrypted(change) -> None:
    with pytest.raises(vault.Unreadable):
        vault.decrypt(purpose="a row", token=change(vault.encrypt(purpose="a row", text=TEXT)))


def test_without_its_key_it_is_lost_and_the_message_is_for_the_operator(settings: Settings) -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    settings.ENCRYPTION_KEYS = [NEW, OTHER]
    with pytest.raises(vault.Unreadable, match="ENCRYPTION_KEYS"):
        vault.decrypt(purpose="a row", token=token)
    with pytest.raises(vault.Unreadable):
        vault.rotate(purpose="a row", token=token)


def test_a_new_first_key_encrypts_and_the_old_one_decrypts_until_rotation(settings: Settings) -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    assert not vault.needs_rotation(token)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert vault.decrypt(purpose="a row", token=token) == TEXT
    assert vault.needs_rotation(token)
    rotated = vault.rotate(purpose="a row", token=token)
    settings.ENCRYPTION_KEYS = [NEW]
    assert not vault.needs_rotation(rotated)
    assert vault.decrypt(purpose="a row", token=rotated) == TEXT


def test_a_secret_of_another_row_is_not_rotated_into_this_one(settings: Settings) -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(vault.Unreadable):
        vault.rotate(purpose="another row", token=token)
