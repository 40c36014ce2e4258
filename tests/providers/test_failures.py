"""The messages of failures."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from editor.providers.base import ErrorKind, ProviderError
from editor.providers.failures import LONGEST_QUOTE, answer_lost, failure, hiding, temporary
from editor.providers.google import answers as google
from editor.providers.http import Answer
from editor.providers.wiro import answers as wiro

KEY = "pLaNtEd-key-0123456789"


@pytest.mark.parametrize("before", range(LONGEST_QUOTE - len(KEY) - 1, LONGEST_QUOTE + 1))
@pytest.mark.parametrize("end", [False, True])
def test_a_key_at_the_cut_of_a_long_message_is_hidden_completely(before: int, end: bool):
    provider_message = "x" * before + KEY + "x" * 500
    with hiding(KEY):
        message = failure(
            ErrorKind.UNAVAILABLE,
            provider_message=provider_message[::-1] if end else provider_message,
            end=end,
        ).message
        reversed_too = temporary(provider_message=provider_message).message

    for reported in (message, reversed_too):
        assert "pLaN" not in reported
        assert "6789" not in reported


def test_both_halves_of_an_account_are_hidden_and_nothing_else():
    with hiding(KEY, "", "the-secret"):
        error = failure(ErrorKind.INVALID_INPUT, provider_message=f"{KEY} and the-secret do not fit")
    assert error.message.endswith("It said: “… and … do not fit”")
    assert error.quote == "… and … do not fit"

    assert KEY in failure(ErrorKind.INVALID_INPUT, provider_message=KEY).message, "outside nothing is hidden"


async def test_a_key_is_hidden_in_other_threads_too():
    with hiding(KEY):
        error = await asyncio.to_thread(failure, ErrorKind.UNAVAILABLE, provider_message=f"key {KEY}")

    assert KEY not in error.message


def test_the_end_of_a_provider_message_is_quoted_when_requested():
    provider_message = "loading\n" * 100 + "out of memory"

    assert "out of memory" not in failure(ErrorKind.UNAVAILABLE, provider_message=provider_message).message
    assert (
        "out of memory”"
        in failure(ErrorKind.UNAVAILABLE, provider_message=provider_message, end=True).message
    )
    assert (
        len(failure(ErrorKind.UNAVAILABLE, provider_message=provider_message, end=True).quote)
        == LONGEST_QUOTE
    )


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_message_can_be_stored(kind: ErrorKind):
    with hiding(KEY):
        message = failure(
            kind, provider_message=f"a\0b\ud800c {KEY[:5]}\0{KEY[5:]}", message="d\udfffe"
        ).message

    message.encode()
    assert message.startswith("de")
    assert "\0" not in message
    assert KEY not in message


def test_the_last_output_of_wiros_model_is_reported_without_the_key():
    printed = f"{'loading ' * 100}{KEY}{'y' * (LONGEST_QUOTE - 5)}"
    with hiding(KEY), pytest.raises(ProviderError) as caught:
        wiro.links({"status": "task_error", "debugerror": printed})

    assert "6789" not in caught.value.message
    assert "loading" not in caught.value.message


def test_googles_reason_for_no_image_is_kept_without_the_key():
    text = "x" * (LONGEST_QUOTE - 5) + KEY
    content = b'{"candidates": [{"content": {"parts": [{"text": "%s"}]}}]}' % text.encode()
    with hiding(KEY):
        made = google.made(Answer(200, httpx.Headers(), content))

    assert isinstance(made, google.NotMade)
    assert "xxxx" in made.why
    assert "pLaN" not in made.why


def test_messages_about_keys_fit_whoever_manages_them():
    for kind in (ErrorKind.AUTH, ErrorKind.INSUFFICIENT_FUNDS):
        assert "Whoever manages the portal's or the workspace's keys" in failure(kind).message


def test_a_lost_response_has_an_unknown_outcome_and_its_own_message():
    error = answer_lost()

    assert error.kind is ErrorKind.UNKNOWN_OUTCOME
    assert "was not sent again" in error.message
