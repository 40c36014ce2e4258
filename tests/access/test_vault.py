"""Secrets at rest: only the right key opens them, and only where they belong."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from editor.access import vault

OLD, NEW, OTHER = "old key, long enough to be one…", "n" * 32, "o" * 32
TEXT = "a text that nobody may see"


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


def test_what_was_encrypted_is_opened_again_and_is_not_to_be_seen() -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    assert TEXT.encode() not in token
    assert vault.decrypt(purpose="a row", token=token) == TEXT
    assert vault.decrypt(purpose="a row", token=memoryview(token)) == TEXT


def test_the_same_text_is_never_encrypted_the_same() -> None:
    assert vault.encrypt(purpose="a row", text=TEXT) != vault.encrypt(purpose="a row", text=TEXT)


def test_it_cannot_be_opened_for_another_row() -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    with pytest.raises(vault.Unreadable) as error:
        vault.decrypt(purpose="another row", token=token)
    assert TEXT not in error.value.message


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[:9] + b"x" + token[10:]])
def test_what_was_tampered_with_is_not_opened(change) -> None:
    with pytest.raises(vault.Unreadable):
        vault.decrypt(purpose="a row", token=change(vault.encrypt(purpose="a row", text=TEXT)))


def test_without_its_key_it_is_lost_and_the_text_are_for_the_operator(settings: Settings) -> None:
    token = vault.encrypt(purpose="a row", text=TEXT)
    settings.ENCRYPTION_KEYS = [NEW, OTHER]
    with pytest.raises(vault.Unreadable, match="ENCRYPTION_KEYS"):
        vault.decrypt(purpose="a row", token=token)
    with pytest.raises(vault.Unreadable):
        vault.rotate(purpose="a row", token=token)


def test_a_new_first_key_encrypts_and_the_old_one_opens_until_all_is_rotated(settings: Settings) -> None:
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
