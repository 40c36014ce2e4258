"""A failed edit is final, is not sent again, and has a readable message."""

from __future__ import annotations

from collections.abc import Iterable

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.contract.spec import RED, ProviderSpec, UnderTest
from tests.providers.contract.specs import APIS, each_with
from tests.providers.edits import is_final, run

KINDS = {
    Fault.PROMPT_MODERATED: ErrorKind.MODERATED,
    Fault.RESULT_MODERATED: ErrorKind.MODERATED,
    Fault.FAILED: ErrorKind.UNAVAILABLE,
    Fault.EMPTY_RESULT: ErrorKind.UNAVAILABLE,
    Fault.OVERLOADED: ErrorKind.UNAVAILABLE,  # only some providers
}
EMPTY = {Fault.EMPTY_RESULT: "returned no image"}
REQUIRED = (Fault.PROMPT_MODERATED, Fault.RESULT_MODERATED, Fault.FAILED)


def endings(spec: ProviderSpec) -> Iterable[Fault]:
    return dict.fromkeys([*REQUIRED, *spec.endings, *(EMPTY if spec.empty_fails else ())])


@each_with("fault", endings, APIS)
async def test_a_failed_edit_is_final(provider: UnderTest, fault: Fault):
    provider.script.next_submit = [fault]

    error = await failure(run(provider.adapter, provider.edit(RED)))

    assert is_final(error, KINDS[fault])
    assert {**EMPTY, **provider.spec.endings}[fault] in error.message
    assert error.retry_after is None
    assert provider.count(Step.SUBMIT) == 1
