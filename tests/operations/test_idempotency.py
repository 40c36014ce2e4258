"""The same idempotency key returns the same job for a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import InsufficientCredits, Unprocessable
from editor.models import CreditAccount, Job
from editor.operations import idempotency, jobs, outcomes
from editor.operations.jobs import NewEdit
from tests.factories import make_actor, make_member

pytestmark = pytest.mark.django_db


def submit(actor: Actor, *, key: str = "k", request_hash: str = "a") -> Job:
    request = NewEdit(prompt="a quiet harbour", idempotency_key=key, request_hash=request_hash)
    return jobs.submit(actor=actor, request=request)


def balance(actor: Actor) -> int:
    return CreditAccount.objects.get(workspace=actor.workspace).balance


def test_a_repeated_request_returns_the_same_job_and_costs_nothing() -> None:
    actor = make_actor(balance=10)
    first = submit(actor)
    again = submit(actor)
    assert (again.id, first.repeated, again.repeated) == (first.id, False, True)
    assert balance(actor) == 6


def test_a_different_request_with_the_same_key_is_refused() -> None:
    actor = make_actor(balance=10)
    submit(actor)
    with pytest.raises(Unprocessable, match="different request"):
        submit(actor, request_hash="b")
    assert balance(actor) == 6


def test_a_key_can_be_reused_after_a_day() -> None:
    actor = make_actor(balance=10)
    first = submit(actor)
    Job.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    second = submit(actor, request_hash="b")
    assert (second.id != first.id, second.repeated) == (True, False)
    assert balance(actor) == 2


def test_the_key_of_a_refused_request_can_be_reused() -> None:
    actor = make_actor(balance=0)
    with pytest.raises(InsufficientCredits):
        submit(actor)
    CreditAccount.objects.filter(workspace=actor.workspace).update(balance=4)
    assert not submit(actor).repeated


def test_keys_are_per_workspace() -> None:
    first, second = submit(make_actor()), submit(make_actor())
    assert first.id != second.id


def test_a_retried_request_without_a_key_finds_its_job() -> None:
    actor = make_actor(balance=20)
    job = submit(actor, key="", request_hash="a")
    found = idempotency.find_sent_before(actor=actor, request_hash="a")
    assert found is not None
    assert (found.id, found.repeated) == (job.id, True)


def test_other_requests_are_not_mistaken_for_retries() -> None:
    actor = make_actor(balance=20)
    submit(actor, key="k", request_hash="with a key")
    old = submit(actor, key="", request_hash="old")
    Job.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=31))
    failed = submit(actor, key="", request_hash="failed")
    outcomes.end_failed(job=failed, code="unavailable", message="Away.")
    submit(actor, key="", request_hash="a")
    for request_hash in ("with a key", "old", "failed", "another"):
        assert idempotency.find_sent_before(actor=actor, request_hash=request_hash) is None
    colleague = make_actor(actor.workspace, user=make_member(actor.workspace))
    for other in (colleague, make_actor(), replace(actor, channel="openai")):
        assert idempotency.find_sent_before(actor=other, request_hash="a") is None
