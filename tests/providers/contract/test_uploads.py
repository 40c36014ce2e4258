"""Images that are uploaded before the submit: a failure ends it before anything is paid."""

from __future__ import annotations

import pytest

from editor.providers.base import ErrorKind
from tests.emulators.faults import Fault
from tests.providers.calls import failure
from tests.providers.clock import waited_for
from tests.providers.contract.spec import UnderTest
from tests.providers.contract.specs import SPECS, each
from tests.providers.edits import is_final

# The provider's message is the same as for a submit.
REPORTED = (Fault.WRONG_KEY, Fault.OUT_OF_FUNDS, Fault.RATE_LIMITED, Fault.SERVER_ERROR)


@each(spec for spec in SPECS if spec.uploaded)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
        (Fault.RATE_LIMITED_RETRY_AFTER, ErrorKind.RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
    ],
)
async def test_a_failed_upload_ends_the_submit_before_anything_is_paid(
    provider: UnderTest, fault: Fault, kind: ErrorKind
):
    assert provider.spec.uploaded is not None
    provider.script.next_upload = [fault]

    async with waited_for(fault, once=lambda: not provider.script.next_upload):
        error = await failure(provider.adapter.submit(provider.edit(provider.spec.uploaded)))

    assert is_final(error, kind)  # the upload alone is not retried
    assert fault not in REPORTED or provider.spec.reported[fault] in error.message
    assert error.retry_after == provider.spec.pauses.get(fault)
    assert provider.emulator.tasks == []
