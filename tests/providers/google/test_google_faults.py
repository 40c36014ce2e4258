"""Edits at Google that fail: what each failure means for the portal, and what people read."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from editor.providers import http
from editor.providers.base import Account, ErrorKind, ProviderError, Submitted
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.faults import NOT_AN_IMAGE, Fault
from tests.emulators.google import BLOCKED, Google
from tests.providers.clock import running_fast
from tests.providers.edits import edit, is_final, is_temporary, png

NANO = "gemini-nano-banana-2.1"
RED = png("red")


async def refused(adapter: Adapter, google: Google, *faults: Fault, **inputs: Any) -> ProviderError:
    google.script.next_submit = list(faults)
    with pytest.raises(ProviderError) as caught:
        await adapter.submit(edit(google, NANO, RED, **inputs))
    return caught.value


async def not_made(adapter: Adapter, google: Google, fault: Fault = Fault.EMPTY_RESULT) -> ProviderError:
    """Of an edit that Google took: its submit goes well, and the failure is told afterwards."""
    google.script.next_submit = [fault]
    request = edit(google, NANO, RED)
    submitted = await adapter.submit(request)
    assert submitted.result is None
    with pytest.raises(ProviderError) as caught:
        await adapter.poll(request, Submitted(submitted.task_id, submitted.state))
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.FORBIDDEN, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "quota at Google is used up"),
        (Fault.SPEND_CAP, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "An internal error has occurred"),
        (Fault.OVERLOADED, ErrorKind.UNAVAILABLE, "The model is overloaded"),
        (Fault.BAD_GATEWAY, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),  # a proxy's word
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "PROHIBITED_CONTENT"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "Unable to show the generated image"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "An internal error has occurred"),
        (Fault.CUT, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),
        (Fault.MALFORMED_JSON, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),
        (Fault.HUGE, ErrorKind.UNKNOWN_OUTCOME, "larger than 256 MB"),
    ],
)
async def test_each_failure_is_told_by_its_kind(
    adapter: Adapter, google: Google, fault: Fault, kind: ErrorKind, words: str
):
    error = await refused(adapter, google, fault)

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after is None
    assert google.key not in error.message
    assert len(google.calls) == 1  # never sent again


async def test_a_rate_limit_may_tell_when_to_come_back(adapter: Adapter, google: Google):
    error = await refused(adapter, google, Fault.RATE_LIMITED_RETRY_AFTER)

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == 1


@pytest.mark.parametrize("shape", BLOCKED)
async def test_a_blocked_result_is_known_in_all_its_shapes(
    adapter: Adapter, google: Google, shape: dict[str, Any]
):
    google.blocked = shape

    assert is_final(await refused(adapter, google, Fault.RESULT_MODERATED), ErrorKind.MODERATED)


@pytest.mark.parametrize(
    "reason",
    [
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "SAFETY",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "IMAGE_RECITATION",
    ],
)
async def test_the_reason_of_the_end_tells_a_refusal(adapter: Adapter, google: Google, reason: str):
    google.finish_reason = google.empty_reason = reason

    assert is_final(await refused(adapter, google, Fault.RESULT_MODERATED), ErrorKind.MODERATED)
    assert is_final(await refused(adapter, google, Fault.EMPTY_RESULT), ErrorKind.MODERATED)


@pytest.mark.parametrize("reason", ["STOP", "NO_IMAGE", "IMAGE_OTHER", "OTHER", "MAX_TOKENS", "LANGUAGE"])
async def test_an_edit_without_an_image_was_taken_and_has_failed(
    adapter: Adapter, google: Google, reason: str
):
    google.empty_reason = reason

    error = await not_made(adapter, google)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message
    assert "I cannot draw that, but I can tell you about it." in error.message


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.PROMPT_MODERATED])
async def test_an_end_without_a_known_reason_is_a_failure(adapter: Adapter, google: Google, fault: Fault):
    google.block_reason = ""

    error = await not_made(adapter, google, fault)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message


async def test_a_result_too_close_to_a_work_of_others_asks_for_other_words(adapter: Adapter, google: Google):
    google.finish_reason = "IMAGE_RECITATION"

    error = await refused(adapter, google, Fault.RESULT_MODERATED)

    assert "Reword the prompt" in error.message


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("SAFETY", ErrorKind.MODERATED),
        ("IMAGE_SAFETY", ErrorKind.MODERATED),
        ("BLOCKED_REASON_UNSPECIFIED", ErrorKind.MODERATED),
        ("OTHER", ErrorKind.INVALID_INPUT),
    ],
)
async def test_a_blocked_prompt_is_told_by_its_reason(
    adapter: Adapter, google: Google, reason: str, kind: ErrorKind
):
    google.block_reason = reason

    assert is_final(await refused(adapter, google, Fault.PROMPT_MODERATED), kind)
    assert google.tasks == []


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.NEVER_FINISHES])
async def test_an_answer_that_never_comes_leaves_the_outcome_unknown(
    adapter: Adapter, google: Google, fault: Fault
):
    async with running_fast(once=lambda: google.tasks):
        error = await refused(adapter, google, fault)

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)


async def test_nothing_was_sent_where_nobody_listens(adapter: Adapter, google: Google):
    request = edit(google, NANO, RED)
    google.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.submit(request)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


async def test_an_answer_of_unannounced_size_is_not_read_to_its_end(
    adapter: Adapter, google: Google, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(http, "ANSWER_BYTES", 2 * 1024**2)

    error = await refused(adapter, google, Fault.HUGE_UNANNOUNCED)

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)  # it was made, and is paid for
    assert "larger than 2 MB" in error.message


async def test_what_is_no_image_is_handed_on_for_the_portal_to_refuse(adapter: Adapter, google: Google):
    google.script.next_submit = [Fault.NOT_AN_IMAGE]

    submitted = await adapter.submit(edit(google, NANO, RED))

    assert submitted.result is not None
    assert submitted.result.images[0].content == NOT_AN_IMAGE


async def test_what_google_finds_wrong_with_an_edit_is_quoted(adapter: Adapter, google: Google):
    error = await refused(adapter, google, aspectRatio="7:3")

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "aspect_ratio must be one of" in error.message
    assert google.tasks == []


async def test_more_than_google_takes_in_one_request_is_told(adapter: Adapter, google: Google):
    google.seconds = 0
    noise = png() + bytes(16 * 1024**2)

    with pytest.raises(ProviderError, match="exceeds the limit") as caught:
        await adapter.submit(edit(google, NANO, noise))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)


@pytest.mark.parametrize("target", ["gemini-3-pro-image-preview", "../../v1/models", "x?key=1"])
async def test_a_model_that_is_not_there_leaves_the_edit_to_another_route(
    adapter: Adapter, google: Google, target: str
):
    with pytest.raises(ProviderError) as caught:
        await adapter.submit(edit(google, target))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert google.tasks == []


async def test_a_wrong_key_is_refused_in_edit_and_check(
    adapter: Adapter, google: Google, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProviderError) as edited:
        await adapter.submit(edit(google, NANO, key="AIza-planted"))
    with pytest.raises(ProviderError) as checked:
        await adapter.check(Account(google.url, "AIza-planted"))

    for error in (edited.value, checked.value):
        assert is_final(error, ErrorKind.AUTH)
        assert "AIza-planted" not in repr(error) + error.message
    assert "AIza-planted" not in caplog.text


async def test_a_check_that_gets_no_answer_may_be_made_again(adapter: Adapter, google: Google):
    google.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.check(Account(google.url, google.key))

    assert is_temporary(caught.value)
