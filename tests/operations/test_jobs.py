"""Submitting and canceling: atomic, idempotent, within the limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from editor.engine import requests
from editor.errors import (
    Conflict,
    EditorError,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    NotFound,
    PermissionDenied,
    Unprocessable,
)
from editor.models import (
    Character,
    CharacterImage,
    CreditAccount,
    Image,
    Job,
    LedgerEntry,
    Role,
    Status,
    Style,
)
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.queries import limits as limit_queries
from tests.factories import limit_jobs, make_actor, make_image, make_member, make_workspace, photo

pytestmark = pytest.mark.django_db


def new_edit(**fields: Any) -> NewEdit:
    return NewEdit(**{"prompt": "make it warmer", **fields})


def test_submit_holds_the_price_and_enqueues_the_job() -> None:
    actor = make_actor(balance=10)
    image = make_image(actor)
    job = jobs.submit(actor=actor, request=new_edit(image_ids=(image.id,)))
    account = CreditAccount.objects.get(workspace=actor.workspace)
    assert (job.status, job.price, job.stage) == (Status.PENDING, 4, "task_queue")
    assert (account.balance, account.held) == (6, 4)
    assert ProcrastinateJob.objects.get().args == {"job_id": str(job.id)}
    assert job.events.get().kind == "task_queue"
    assert job.parent == image


def test_the_same_key_returns_the_same_job() -> None:
    actor = make_actor(balance=10)
    first = jobs.submit(actor=actor, request=new_edit(idempotency_key="k"))
    second = jobs.submit(actor=actor, request=new_edit(idempotency_key="k"))
    assert first.id == second.id
    assert CreditAccount.objects.get(workspace=actor.workspace).balance == 6


def test_the_same_key_in_another_workspace_is_another_job() -> None:
    first = jobs.submit(actor=make_actor(), request=new_edit(idempotency_key="k"))
    other = make_actor(make_workspace(name="Other"))
    assert jobs.submit(actor=other, request=new_edit(idempotency_key="k")).id != first.id


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"prompt": "   "}, InvalidInput),
        ({"prompt": "x" * 10_001}, InvalidInput),
        ({"tier": "gold"}, InvalidInput),
        ({"model": "no/such-model"}, InvalidInput),
        ({"inputs": {"seed": "minus one"}}, InvalidInput),
        ({"inputs": {"unknown": "1"}}, InvalidInput),
        ({"model": "wiro/flux_kontext_dev_with_2_image"}, InvalidInput),
        ({"image_ids": ("not-a-uuid",)}, NotFound),
        ({"style_id": "00000000-0000-0000-0000-000000000000"}, NotFound),
        ({"provider": "openai"}, Unprocessable),
        ({"mask": b"x"}, InvalidInput),
    ],
)
def test_invalid_input_costs_nothing(fields: dict[str, Any], error: type[EditorError]) -> None:
    actor = make_actor(balance=10)
    with pytest.raises(error):
        jobs.submit(actor=actor, request=new_edit(**fields))
    assert not Job.objects.exists()
    assert CreditAccount.objects.get(workspace=actor.workspace).balance == 10


def test_images_and_styles_of_another_workspace_are_not_found() -> None:
    stranger = make_actor(make_workspace(name="Other"))
    theirs = make_image(stranger)
    style = Style.objects.create(workspace=stranger.workspace, name="Secret", prompt="sepia")
    actor = make_actor()
    for fields in ({"image_ids": (theirs.id,)}, {"style_id": style.id}):
        with pytest.raises(NotFound):
            jobs.submit(actor=actor, request=new_edit(**fields))


def test_masks_cannot_be_used_as_images() -> None:
    actor = make_actor()
    image = make_image(actor)
    jobs.submit(actor=actor, request=new_edit(image_ids=(image.id,), mask=photo(colour="white")))
    mask = Image.objects.get(kind="mask")
    assert (mask.width, mask.height) == (image.width, image.height)
    with pytest.raises(NotFound):
        jobs.submit(actor=actor, request=new_edit(image_ids=(mask.id,)))


@pytest.mark.parametrize(
    "fields", [{"role": Role.VIEWER}, {"role": Role.EDITOR, "access_image_editor": False}]
)
def test_submitting_requires_the_permission_to_edit(fields: dict[str, Any]) -> None:
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace, **fields))
    with pytest.raises(PermissionDenied):
        jobs.submit(actor=actor, request=new_edit())


def test_without_credits_no_job_is_created() -> None:
    actor = make_actor(balance=3)
    with pytest.raises(InsufficientCredits):
        jobs.submit(actor=actor, request=new_edit())
    assert not Job.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_samples_multiply_the_price() -> None:
    actor = make_actor()
    image = make_image(actor)
    request = new_edit(tier="creative", image_ids=(image.id,), inputs={"samples": "3"})
    assert jobs.submit(actor=actor, request=request).price == 6


def test_the_plan_limits_the_jobs_in_flight() -> None:
    workspace = make_workspace()
    limit_jobs(workspace, concurrent_jobs=2)
    actor = make_actor(workspace)
    for _ in range(2):
        jobs.submit(actor=actor, request=new_edit())
    with pytest.raises(LimitExceeded, match="2 edits are queued or running"):
        jobs.submit(actor=actor, request=new_edit())


def test_priority_falls_with_each_job_in_flight() -> None:
    actor = make_actor()
    for _ in range(3):
        jobs.submit(actor=actor, request=new_edit())
    other = make_actor(make_workspace(name="Other"))
    jobs.submit(actor=other, request=new_edit())
    priorities = ProcrastinateJob.objects.order_by("id").values_list("priority", flat=True)
    assert list(priorities) == [0, -1, -2, 0]


def test_canceling_a_waiting_job_refunds_it_and_empties_the_queue() -> None:
    actor = make_actor(balance=10)
    job = jobs.submit(actor=actor, request=new_edit())
    jobs.cancel(actor=actor, job=job)
    job.refresh_from_db()
    account = CreditAccount.objects.get(workspace=actor.workspace)
    assert (job.status, job.charged) == (Status.CANCELED, 0)
    assert (account.balance, account.held) == (10, 0)
    assert [event.kind for event in job.events.all()] == ["task_queue", "task_cancel"]
    assert ProcrastinateJob.objects.get().status == "cancelled"


def test_an_ended_job_cannot_be_canceled() -> None:
    actor = make_actor()
    job = jobs.submit(actor=actor, request=new_edit())
    jobs.cancel(actor=actor, job=job)
    with pytest.raises(Conflict):
        jobs.cancel(actor=actor, job=job)
    assert LedgerEntry.objects.filter(job=job, kind="release").count() == 1


def test_only_waiting_does_not_cancel_a_running_job() -> None:
    actor = make_actor()
    job = jobs.submit(actor=actor, request=new_edit())
    Job.objects.filter(pk=job.pk).update(status=Status.PROCESSING)
    with pytest.raises(Conflict, match="already started"):
        jobs.cancel(actor=actor, job=job, only_waiting=True)
    job.refresh_from_db()
    assert job.cancel_requested_at is None


def test_check_reports_too_few_and_too_many_images_by_their_number() -> None:
    actor = make_actor()
    request = new_edit(model="black-forest-labs/flux-2-pro")
    jobs.check(actor=actor, request=request, images=8, mask=True)
    with pytest.raises(InvalidInput, match="at most 8 images"):
        jobs.check(actor=actor, request=request, images=9)
    with pytest.raises(InvalidInput, match="A mask needs an image"):
        jobs.check(actor=actor, request=request, images=0, mask=True)


def test_a_mask_does_not_apply_to_a_characters_image() -> None:
    actor = make_actor()
    character = Character.objects.create(workspace=actor.workspace, name="Mara")
    CharacterImage.objects.create(character=character, image=make_image(actor), position=1)
    with pytest.raises(InvalidInput, match="A mask needs an image"):
        jobs.submit(actor=actor, request=new_edit(character_id=character.id, mask=photo()))


def test_of_twenty_concurrent_submits_seven_are_paid_for(committed: None) -> None:
    actor = make_actor(balance=30)

    def attempt(number: int) -> str:
        try:
            jobs.submit(actor=actor, request=new_edit())
        except InsufficientCredits as error:
            return error.code
        finally:
            connection.close()
        return "accepted"

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(attempt, range(20)))
    account = CreditAccount.objects.get(workspace=actor.workspace)
    assert (outcomes.count("accepted"), outcomes.count("insufficient_credits")) == (7, 13)
    assert (account.balance, account.held) == (2, 28)
    assert Job.objects.count() == ProcrastinateJob.objects.count() == 7


def test_twenty_concurrent_submits_with_one_key_make_one_job(committed: None) -> None:
    actor = make_actor(balance=30)

    def attempt(number: int) -> str:
        try:
            return str(jobs.submit(actor=actor, request=new_edit(idempotency_key="same")).id)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(attempt, range(20)))) == 1
    assert CreditAccount.objects.get(workspace=actor.workspace).balance == 26


def test_a_members_monthly_cap_counts_spent_and_held_credits(monkeypatch: pytest.MonkeyPatch) -> None:
    began = timezone.now()  # for the whole test: the month must not change in the middle of it
    monkeypatch.setattr(limit_queries, "timezone", SimpleNamespace(now=lambda: began))
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace, monthly_cap=9))
    first = jobs.submit(actor=actor, request=new_edit())
    jobs.submit(actor=actor, request=new_edit())
    with pytest.raises(InsufficientCredits, match="9 credits a month, and 8 are used"):
        jobs.submit(actor=actor, request=new_edit())
    jobs.cancel(actor=actor, job=first)
    jobs.submit(actor=actor, request=new_edit())


def test_a_refused_edit_leaves_no_mask_behind() -> None:
    actor = make_actor(balance=3)
    image = make_image(actor)
    with pytest.raises(InsufficientCredits):
        jobs.submit(actor=actor, request=new_edit(image_ids=(image.id,), mask=photo(colour="white")))
    assert not Image.objects.filter(kind="mask").exists()


def test_the_sent_prompt_keeps_the_style_as_it_was_at_submit() -> None:
    actor = make_actor()
    style = Style.objects.create(workspace=actor.workspace, name="Mine", prompt="as a pencil sketch.")
    job = jobs.submit(actor=actor, request=new_edit(style_id=style.id))
    style.prompt = "at night"
    style.save()
    job.refresh_from_db()
    assert (job.sent_prompt, job.style_version) == ("make it warmer, as a pencil sketch", 1)
    assert requests.build(job).written == "make it warmer"


def test_each_tier_accepts_a_prompt_alone() -> None:
    actor = make_actor()
    made = [
        jobs.submit(actor=actor, request=NewEdit(prompt="a harbour", tier=tier))
        for tier in ("creative", "standard", "pro")
    ]
    assert [(job.tier, job.model, job.price) for job in made] == [
        ("creative", "black-forest-labs/flux-2-klein-9b", 2),
        ("standard", "black-forest-labs/flux-kontext-pro", 4),
        ("pro", "black-forest-labs/flux-kontext-max", 8),
    ]


def test_options_of_the_tiers_model_prevent_a_fallback() -> None:
    request = NewEdit(prompt="a harbour", tier="creative", inputs={"steps": 30})
    with pytest.raises(InvalidInput):
        jobs.submit(actor=make_actor(), request=request)
