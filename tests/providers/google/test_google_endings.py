"""Edits at Google without an image: whether they are refused or have failed, and with which message."""

from __future__ import annotations

from typing import Any

import pytest

from editor.providers.base import ErrorKind, ProviderError, Submitted
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.faults import Fault
from tests.emulators.google import BLOCKED, Google
from tests.providers.calls import failure
from tests.providers.contract.spec import RED
from tests.providers.edits import edit, is_final
from tests.providers.google.spec import NANO


async def refused(adapter: Adapter, google: Google, fault: Fault) -> ProviderError:
    google.script.next_submit = [fault]
    return await failure(adapter.submit(edit(google, NANO, RED)))


async def not_made(adapter: Adapter, google: Google, fault: Fault = Fault.EMPTY_RESULT) -> ProviderError:
    """The error of an edit that Google accepted: its submit succeeds, and the failure is reported later."""
    google.script.next_submit = [fault]
    request = edit(google, NANO, RED)
    submitted = await adapter.submit(request)
    assert submitted.result is None
    return await failure(adapter.poll(request, Submitted(submitted.task_id, submitted.state)))


@pytest.mark.parametrize("shape", BLOCKED)
async def test_a_blocked_result_is_recognized_in_all_its_forms(
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
async def test_the_finish_reason_identifies_a_refusal(adapter: Adapter, google: Google, reason: str):
    google.finish_reason = google.empty_reason = reason

    assert is_final(await refused(adapter, google, Fault.RESULT_MODERATED), ErrorKind.MODERATED)
    assert is_final(await refused(adapter, google, Fault.EMPTY_RESULT), ErrorKind.MODERATED)


@pytest.mark.parametrize("reason", ["STOP", "NO_IMAGE", "IMAGE_OTHER", "OTHER", "MAX_TOKENS", "LANGUAGE"])
async def test_an_edit_without_an_image_was_accepted_and_has_failed(
    adapter: Adapter, google: Google, reason: str
):
    google.empty_reason = reason

    error = await not_made(adapter, google)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message
    assert "I cannot draw that, but I can tell you about it." in error.message


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.PROMPT_MODERATED])
async def test_an_unknown_finish_reason_is_a_failure(adapter: Adapter, google: Google, fault: Fault):
    google.block_reason = ""

    error = await not_made(adapter, google, fault)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message


async def test_a_result_too_close_to_an_existing_work_suggests_another_prompt(
    adapter: Adapter, google: Google
):
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
async def test_a_blocked_prompt_is_reported_with_its_reason(
    adapter: Adapter, google: Google, reason: str, kind: ErrorKind
):
    google.block_reason = reason

    assert is_final(await refused(adapter, google, Fault.PROMPT_MODERATED), kind)
    assert google.tasks == []
