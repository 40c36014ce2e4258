"""A failed edit is one sentence at the composer; the rest of its message is a disclosure."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from editor.contexts import jobs
from editor.models import Job, Status, Workspace
from editor.providers.sandbox.errors import ABILITIES, REAL_PROVIDER, not_understood

pytestmark = pytest.mark.django_db  # whether it waited for an approval


def failure(error: str, provider: str = "bfl") -> jobs.Failure:
    now = timezone.now()
    job = Job(error=error, status=Status.FAILED, provider=provider, price=4, created_at=now, finished_at=now)
    return jobs.failure(job)


@pytest.mark.parametrize("piece", ["fly to the moon", "fly. Then land. On the moon"])
def test_the_sandboxes_abilities_are_a_disclosure(piece: str) -> None:
    shown = failure(str(not_understood(piece)), provider="sandbox")
    assert shown.summary == f"The built-in sandbox does not understand “{piece}”."
    assert dict(shown.abilities)["words"] == 'add the text "SOLD" at the bottom'
    assert shown.details == REAL_PROVIDER
    assert (shown.details_title, shown.charge) == (
        "What the sandbox can do",
        "Nothing was charged: 4 credits refunded.",
    )


def test_a_failure_of_the_sandbox_about_something_else_lists_no_abilities() -> None:
    shown = failure("The built-in sandbox stopped. Try again.", provider="sandbox")
    assert (shown.abilities, shown.details_title, shown.details) == ((), "Details", "Try again.")


def test_the_abilities_are_a_table_and_the_toast_elsewhere_is_short() -> None:
    shown = failure(str(not_understood("fly", hint="Say how.")), provider="sandbox")
    workspace = Workspace(slug="acme", name="Acme")
    html = render_to_string("studio/_failed.html", {"failure": shown, "workspace": workspace})
    assert re.findall(r"<dt>(.*)</dt>", html) == [kind.capitalize() for kind in ABILITIES]
    assert len(re.findall(r"<dd>.+</dd>", html)) == len(ABILITIES)
    assert f"Say how. {REAL_PROVIDER}" in html
    assert "It can do" not in html
    toast = render_to_string("studio/_job_failed_toast.html", {"job": {"failure": shown, "error": "long"}})
    assert "does not understand “fly”. Nothing was charged" in toast
    assert "sepia" not in toast


@pytest.mark.parametrize("error", ["It is busy.", "no full stop", "“An odd quote. Never closed.", ""])
def test_a_single_sentence_has_no_details(error: str) -> None:
    assert (failure(error).summary, failure(error).details) == (error, "")


def test_the_rest_of_a_providers_message_is_kept() -> None:
    shown = failure("The provider rejected this. Reason: too dark. Try another.")
    assert (shown.summary, shown.details) == (
        "The provider rejected this.",
        "Reason: too dark. Try another.",
    )
