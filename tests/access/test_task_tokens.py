"""Tokens for jobs: one each, and nobody else can create them."""

from __future__ import annotations

import string
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pytest_django import Settings

from editor.access import task_tokens

JOB = UUID("12345678-1234-5678-1234-567812345678")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(number=some.integers(0, 2**128 - 1))
def test_a_token_has_30_letters_and_digits_and_names_its_job(number: int) -> None:
    token = task_tokens.make(UUID(int=number))
    assert len(token) == 30
    assert set(token) <= set(string.ascii_letters + string.digits)
    assert task_tokens.read(token) == UUID(int=number)


@pytest.mark.parametrize("place", range(30))
def test_no_character_can_be_changed(place: int) -> None:
    token = task_tokens.make(JOB)
    other = "a" if token[place] != "a" else "b"
    assert task_tokens.read(token[:place] + other + token[place + 1 :]) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=some.text(max_size=40))
def test_other_texts_are_not_tokens(text: str) -> None:
    assert task_tokens.read(text) is None


@pytest.mark.parametrize("text", ["Z" * 30, "0" * 30, "٣" * 30, "a" * 29, "a" * 31])
def test_texts_that_resemble_tokens_are_not_tokens(text: str) -> None:
    assert task_tokens.read(text) is None


def test_another_portal_creates_different_tokens(settings: Settings) -> None:
    token = task_tokens.make(JOB)
    settings.SECRET_KEY = "another portal's"
    assert task_tokens.read(token) is None
