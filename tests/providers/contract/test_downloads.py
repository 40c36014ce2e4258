"""Results are fetched within limits, without the key, and with a few retries."""

from __future__ import annotations

import pytest

from editor.providers import http
from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.contract.spec import UnderTest
from tests.providers.contract.specs import IMMEDIATE, POLLED, each
from tests.providers.edits import is_final, run


@each(POLLED)
async def test_the_key_is_not_sent_to_the_result_link(provider: UnderTest):
    await run(provider.adapter, provider.edit())

    download = provider.emulator.calls[-1]
    assert download.step is Step.DOWNLOAD
    assert provider.emulator.key not in f"{download.url} {download.headers}"


@each(POLLED)
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BAD_GATEWAY])
async def test_a_broken_download_is_retried(provider: UnderTest, fault: Fault):
    provider.script.next_download = [fault]

    result = await run(provider.adapter, provider.edit())

    assert result.images[0].content == provider.task.pictures[0].content
    assert provider.count(Step.DOWNLOAD) == 2


@each(POLLED)
@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault.LINK_NOT_FOUND, "Its link has expired or is broken"),
        (Fault.LINK_EXPIRED, "Its link has expired or is broken"),
        (Fault.HUGE, "larger than 128 MB"),
        (Fault.HUGE_UNANNOUNCED, "larger than 128 MB"),
    ],
)
async def test_a_result_that_cannot_be_fetched_ends_the_task(provider: UnderTest, fault: Fault, text: str):
    provider.script.next_submit = [fault]

    error = await failure(run(provider.adapter, provider.edit()))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert text in error.message
    assert provider.count(Step.DOWNLOAD) == 1


@each(IMMEDIATE)
@pytest.mark.parametrize("fault", [Fault.HUGE, Fault.HUGE_UNANNOUNCED])
async def test_a_response_that_is_too_large_is_not_read_to_its_end(
    provider: UnderTest, fault: Fault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(http, "ANSWER_BYTES", 2 * 1024**2)
    provider.script.next_submit = [fault]

    error = await failure(provider.adapter.submit(provider.edit()))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)  # the image was made and is paid for
    assert "larger than 2 MB" in error.message
