"""Tasks and responses specific to kie; what all providers share is in the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.providers.base import ErrorKind, Progress
from editor.providers.kie import answers
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.faults import Fault, Step
from tests.emulators.kie import Kie
from tests.providers.calls import answer, failure
from tests.providers.contract.spec import RED
from tests.providers.edits import edit, finish, image, is_final, is_temporary, run
from tests.providers.kie.spec import FLUX_2


@pytest.mark.parametrize(("real_status", "content_types"), [(True, True), (False, False)])
async def test_responses_are_read_whatever_their_headers(
    adapter: Adapter, kie: Kie, real_status: bool, content_types: bool
):
    kie.real_status, kie.content_types = real_status, content_types

    result = await run(adapter, edit(kie, FLUX_2, RED))

    assert result.images[0].content == kie.tasks[0].pictures[0].content


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Server exception"),
    ],
)
@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
async def test_a_refusal_may_have_its_real_http_status(
    adapter: Adapter, kie: Kie, step: Step, fault: Fault, kind: ErrorKind, reason: str
):
    kie.real_status = True
    kie.script.coming(step).append(fault)

    error = await failure(adapter.submit(edit(kie, FLUX_2, RED)))

    assert is_final(error, kind)
    assert reason in error.message
    assert error.retry_after == (10 if kind is ErrorKind.RATE_LIMITED else None)
    assert kie.tasks == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (433, ErrorKind.INSUFFICIENT_FUNDS),
        (455, ErrorKind.UNAVAILABLE),
        (501, ErrorKind.UNAVAILABLE),
        (505, ErrorKind.UNAVAILABLE),
    ],
)
async def test_kies_own_codes_map_to_error_kinds(adapter: Adapter, kie: Kie, code: int, kind: ErrorKind):
    kie.error_code = code
    kie.script.next_submit = [Fault.SERVER_ERROR]

    assert is_final(await failure(adapter.submit(edit(kie, FLUX_2))), kind)


@pytest.mark.parametrize("status", [501, 505])
def test_a_proxys_status_is_not_one_of_kies_codes(status: int):
    assert is_final(answers.refusal(answer(status, b"<html>")), ErrorKind.UNKNOWN_OUTCOME)


async def test_maintenance_during_a_poll_is_temporary(adapter: Adapter, kie: Kie):
    kie.error_code = 455
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.SERVER_ERROR]

    assert is_temporary(await failure(finish(adapter, request, task)))


def test_progress_is_reported_when_kie_sends_it():
    assert answers.market_links({"state": "generating", "progress": 40}) == Progress(percent=40)
    assert answers.market_links({"state": "generating", "progress": None}) == Progress()
    assert answers.market_links({"state": "generating", "progress": 140}) == Progress(percent=100)
    assert answers.market_links({"state": "generating", "progress": -1}) == Progress(percent=0)


def test_several_results_are_returned_in_order():
    text = '{"resultUrls": ["https://x.example/1.png", null, "https://x.example/2.png"]}'

    links = answers.market_links({"state": "success", "resultJson": text})

    assert links == ("https://x.example/1.png", "https://x.example/2.png")


@pytest.mark.parametrize("text", ["", '{"resultUrls":', "{}", "[]", '{"resultUrls":[7]}'])
async def test_an_unreadable_result_counts_as_no_image(adapter: Adapter, kie: Kie, text: str):
    kie.empty_result = text
    kie.script.next_submit = [Fault.EMPTY_RESULT]

    error = await failure(run(adapter, edit(kie, FLUX_2)))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message


async def test_an_image_that_kie_cannot_read_fails_the_task(adapter: Adapter, kie: Kie):
    request = replace(edit(kie, FLUX_2), images=(replace(image(RED), load=_nonsense),))

    error = await failure(run(adapter, request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "Image fetch failed" in error.message


async def _nonsense() -> bytes:
    return b"no image"


async def test_an_expired_result_is_unavailable(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.ahead = 15 * 86400

    assert is_final(await failure(finish(adapter, request, task)), ErrorKind.UNAVAILABLE)
