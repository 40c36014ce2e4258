"""A failed edit is one sentence at the composer; the rest of its message is a disclosure."""

from __future__ import annotations

import pytest
from django.utils import timezone

from editor.contexts import jobs
from editor.models import Job, Status
from editor.providers.sandbox.errors import not_understood


def failure(error: str, provider: str = "bfl") -> jobs.Failure:
    now = timezone.now()
    job = Job(error=error, status=Status.FAILED, provider=provider, price=4, created_at=now, finished_at=now)
    return jobs.failure(job)


@pytest.mark.parametrize("piece", ["fly to the moon", "fly. Then land. On the moon"])
def test_the_sandboxes_abilities_are_a_disclosure(piece: str) -> None:
    shown = failure(str(not_understood(piece)), provider="sandbox")
    assert shown.summary == f"The built-in sandbox does not understand “{piece}”."
    assert shown.details.startswith("It can do tone")
    assert (shown.details_title, shown.charge) == (
        "What the sandbox can do",
        "Nothing was charged: 4 credits refunded.",
    )


@pytest.mark.parametrize("error", ["It is busy.", "no full stop", "“An odd quote. Never closed.", ""])
def test_a_single_sentence_has_no_details(error: str) -> None:
    assert (failure(error).summary, failure(error).details) == (error, "")


def test_the_rest_of_a_providers_message_is_kept() -> None:
    shown = failure("The provider rejected this. Reason: too dark. Try another.")
    assert (shown.summary, shown.details) == (
        "The provider rejected this.",
        "Reason: too dark. Try another.",
    )
