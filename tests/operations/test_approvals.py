"""Edits over a limit wait for an answer: nothing is held, and each answer has its effects once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from editor.errors import (
    Conflict,
    EditorError,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    PermissionDenied,
)
from editor.models import (
    Approval,
    AuditEntry,
    CreditAccount,
    Job,
    LedgerEntry,
    Membership,
    Role,
    Status,
    WebhookDelivery,
)
from editor.operations import approvals, deletions, jobs, members, people, trash
from editor.operations.jobs import NewEdit
from editor.operations.limits import OverLimit
from editor.operations.webhooks import endpoints
from editor.queries import jobs as job_queries
from editor.queries import limits, pricing, studio
from editor.queries import members as member_queries
from editor.queries.limits import Kind
from editor.representations import webhooks as messages_of
from tests.approvals import KONTEXT, PRICE, PROMPT, Team, approval_of, ask, make_team
from tests.factories import limit_jobs, make_actor, make_image, make_member

pytestmark = pytest.mark.django_db

State = Approval.State


@pytest.fixture
def team() -> Team:
    return make_team()


def account(team: Team) -> CreditAccount:
    return CreditAccount.objects.get(workspace=team.workspace)


def assert_nothing_held(team: Team, balance: int = 100) -> None:
    found = account(team)
    assert (found.balance, found.held) == (balance, 0)
    assert not LedgerEntry.objects.exclude(kind="grant").exists()


def month(team: Team) -> int:
    """What counts against the editor's cap."""
    return next(each.used for each in limits.of(team.editor) if each.kind == Kind.MEMBER_MONTH)


# --- Asking -------------------------------------------------------------------------------


def test_an_edit_over_the_cap_waits_and_holds_nothing(team: Team) -> None:
    job = ask(team.editor, "  The client wants\nto see it tonight. ")
    approval = approval_of(job)
    assert (job.status, job.queue_id, job.is_live, job.has_ended) == (Status.WAITING, None, False, False)
    assert (approval.limit, approval.allowed, approval.used) == ("member_month", 0, 0)
    assert (approval.price, approval.message) == (PRICE, "The client wants to see it tonight.")
    assert approval.expires_at > timezone.now() + timedelta(days=6, hours=23)
    assert not ProcrastinateJob.objects.filter(task_name="run_job").exists()
    assert_nothing_held(team)
    assert AuditEntry.objects.get(action="approval.requested").data["amount"] == PRICE


def test_without_asking_it_is_refused_with_words_that_say_how(team: Team) -> None:
    with pytest.raises(OverLimit, match=r"ask for an approval in the Studio, or in the public API"):
        jobs.submit(actor=team.editor, request=NewEdit(prompt=PROMPT, model=KONTEXT))
    assert not Job.objects.exists()


def test_an_edit_within_the_limits_starts_at_once() -> None:
    team = make_team(cap=PRICE)
    assert ask(team.editor).status == Status.PENDING
    assert not Approval.objects.exists()
    assert account(team).held == PRICE


def test_a_daily_cap_is_a_limit_to_ask_for() -> None:
    team = make_team(cap=None)
    Membership.objects.filter(pk=team.editor.membership.pk).update(daily_cap=1)
    job = ask(make_actor(team.workspace, user=team.editor.user))
    assert approval_of(job).limit == Kind.MEMBER_DAY


def test_editors_ask_for_an_edit_dearer_than_the_threshold_and_admins_do_not() -> None:
    team = make_team(cap=None, approval_threshold=PRICE - 1)
    with pytest.raises(OverLimit, match=r"more than 3 credits needs an approval, and this one costs 4"):
        jobs.submit(actor=team.editor, request=NewEdit(prompt=PROMPT, model=KONTEXT))
    assert approval_of(ask(team.editor)).limit == Kind.THRESHOLD
    assert jobs.submit(actor=team.admin, request=NewEdit(prompt=PROMPT, model=KONTEXT)).is_live


def test_an_approval_is_not_offered_where_it_would_not_help() -> None:
    team = make_team(monthly_limit=1)
    with pytest.raises(OverLimit, match="The workspace's budget") as refused:
        ask(team.editor)
    assert refused.value.limit.kind == Kind.WORKSPACE_MONTH
    assert "approval" not in refused.value.message
    assert not Job.objects.exists()


def test_the_same_key_asks_once(team: Team) -> None:
    first = ask(team.editor, idempotency_key="k")
    assert ask(team.editor, idempotency_key="k") == first
    assert Approval.objects.count() == 1


def test_nobody_fills_the_list(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "MOST_WAITING", 2)
    first, _ = ask(team.editor), ask(team.editor)
    with pytest.raises(LimitExceeded, match="2 of your edits wait"):
        ask(team.editor)
    jobs.cancel(actor=team.editor, job=first)
    assert ask(team.editor).status == Status.WAITING


def test_a_message_that_is_too_long_is_refused_at_its_field(team: Team) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(team.editor, "x" * 301)
    assert set(refused.value.fields) == {"approval_message"}


# --- Approving ----------------------------------------------------------------------------


def test_an_approved_edit_runs_for_who_asked_and_counts_for_the_workspace(team: Team) -> None:
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=PRICE)
    job.refresh_from_db()
    assert (job.status, job.approved, job.created_by) == (Status.PENDING, True, team.editor.user)
    assert ProcrastinateJob.objects.get(task_name="run_job").args == {"job_id": str(job.pk)}
    assert (account(team).balance, account(team).held) == (96, 4)
    assert (month(team), member_queries.spent(team.workspace)) == (0, PRICE)
    approval = approval_of(job)
    assert (approval.state, approval.decided_by) == (State.GRANTED, team.admin.user)
    assert AuditEntry.objects.get(action="approval.granted").target == team.editor.user.email


def test_one_who_asks_cannot_approve_or_decline(team: Team) -> None:
    Membership.objects.filter(pk=team.admin.membership.pk).update(monthly_cap=0)
    asking = make_actor(team.workspace, user=team.admin.user)
    job = ask(asking)
    for act in (
        lambda: approvals.approve(actor=asking, job=job, price=PRICE),
        lambda: approvals.decline(actor=asking, job=job, reason="no"),
    ):
        with pytest.raises(PermissionDenied, match="somebody else has to decide"):
            act()
    approvals.approve(actor=team.owner, job=job, price=PRICE)


def test_editors_and_viewers_decide_nothing(team: Team) -> None:
    job = ask(team.editor)
    for role in (Role.EDITOR, Role.VIEWER):
        other = make_actor(team.workspace, user=make_member(team.workspace, role=role))
        with pytest.raises(PermissionDenied):
            approvals.approve(actor=other, job=job, price=PRICE)
        with pytest.raises(PermissionDenied):
            approvals.decline(actor=other, job=job, reason="no")
    assert approval_of(job).state == State.WAITING


def test_an_admin_who_was_demoted_meanwhile_decides_nothing(team: Team) -> None:
    job = ask(team.editor)
    Membership.objects.filter(pk=team.admin.membership.pk).update(role=Role.EDITOR)
    with pytest.raises(PermissionDenied):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    with pytest.raises(PermissionDenied):
        approvals.decline(actor=team.admin, job=job, reason="no")


def test_a_second_answer_says_who_was_first(team: Team) -> None:
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=PRICE)
    approvals.approve(actor=team.admin, job=job, price=PRICE)  # the same click once more
    for act in (
        lambda: approvals.approve(actor=team.owner, job=job, price=PRICE),
        lambda: approvals.decline(actor=team.owner, job=job, reason="no"),
    ):
        with pytest.raises(Conflict, match=f"approved by {team.admin.user.display_name} already"):
            act()
    assert LedgerEntry.objects.filter(kind="hold").count() == 1


def test_a_changed_price_is_shown_and_approved_anew(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ask(team.editor)
    monkeypatch.setattr(pricing, "price", lambda **given: 7)
    with pytest.raises(Conflict, match="changed from 4 to 7 credits"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    approval = approval_of(job)
    assert (approval.state, approval.price, approval.job.price) == (State.WAITING, 7, 7)
    assert_nothing_held(team)
    approvals.approve(actor=team.admin, job=job, price=7)
    assert account(team).held == 7


def test_an_approval_says_if_the_credits_do_not_reach() -> None:
    team = make_team(balance=3)
    job = ask(team.editor)
    with pytest.raises(InsufficientCredits, match="needs 4, but the workspace has 3"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert approval_of(job).state == State.WAITING
    assert_nothing_held(team, balance=3)


def test_the_workspaces_budget_binds_an_approved_edit_too(team: Team) -> None:
    job = ask(team.editor)
    team.workspace.monthly_limit = 3
    team.workspace.save()
    with pytest.raises(OverLimit, match="The workspace's budget is 3 credits a month"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert approval_of(job).state == State.WAITING


def test_the_plans_number_of_edits_binds_it_too(team: Team) -> None:
    job = ask(team.editor)
    limit_jobs(team.workspace, concurrent_jobs=1)
    jobs.submit(actor=team.owner, request=NewEdit(prompt=PROMPT, model=KONTEXT))
    with pytest.raises(LimitExceeded):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert approval_of(job).state == State.WAITING


def test_the_cap_can_be_raised_with_it(team: Team) -> None:
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=PRICE, raise_cap=True)
    assert Membership.objects.get(pk=team.editor.membership.pk).monthly_cap == PRICE
    assert approval_of(job).raised_by == PRICE
    assert AuditEntry.objects.get(action="membership.changed").after == {"monthly cap": "4"}


def test_the_cap_that_was_in_the_way_is_raised_and_no_other() -> None:
    team = make_team(cap=2 * PRICE)
    Membership.objects.filter(pk=team.editor.membership.pk).update(daily_cap=1)
    job = ask(make_actor(team.workspace, user=team.editor.user))
    approvals.approve(actor=team.admin, job=job, price=PRICE, raise_cap=True)
    row = Membership.objects.get(pk=team.editor.membership.pk)
    assert (row.monthly_cap, row.daily_cap) == (2 * PRICE, 1 + PRICE)
    assert approval_of(job).raised_by == PRICE
    assert AuditEntry.objects.get(action="membership.changed").after == {"daily cap": "5"}
    assert ask(make_actor(team.workspace, user=team.editor.user)).is_live  # within the cap by now


@pytest.mark.parametrize("limit", ["threshold", "removed"])
def test_where_no_cap_is_in_the_way_none_is_raised(limit: str) -> None:
    team = make_team(cap=None if limit == "threshold" else 0, approval_threshold=PRICE - 1)
    job = ask(team.editor)
    Membership.objects.filter(pk=team.editor.membership.pk).update(monthly_cap=None, daily_cap=1)
    approvals.approve(actor=team.admin, job=job, price=PRICE, raise_cap=True)
    row = Membership.objects.get(pk=team.editor.membership.pk)
    assert (row.monthly_cap, row.daily_cap, approval_of(job).raised_by) == (None, 1, 0)


def test_who_may_not_raise_the_cap_approves_nothing_with_it(team: Team) -> None:
    """An admin with a cap of their own gives nobody more than that."""
    Membership.objects.filter(pk=team.admin.membership.pk).update(monthly_cap=2)
    job = ask(team.editor)
    with pytest.raises(PermissionDenied):
        approvals.approve(actor=team.admin, job=job, price=PRICE, raise_cap=True)
    assert approval_of(job).state == State.WAITING
    assert_nothing_held(team)


def test_it_does_not_run_for_somebody_who_may_not_edit_any_more(team: Team) -> None:
    job = ask(team.editor)
    Membership.objects.filter(pk=team.editor.membership.pk).update(access_image_editor=False)
    with pytest.raises(Conflict, match="may not edit images in this workspace any more"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert_nothing_held(team)


# --- Declining, withdrawing, lapsing ------------------------------------------------------


def test_a_declined_edit_says_who_and_why(team: Team) -> None:
    job = ask(team.editor)
    approvals.decline(actor=team.admin, job=job, reason=" Too\nexpensive ")
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "approval_declined")
    assert job.error == f"{team.admin.user.display_name} declined it: Too expensive"
    assert [event.kind for event in job.events.all()] == ["task_error"]
    approval = approval_of(job)
    assert (approval.state, approval.reason) == (State.DECLINED, "Too expensive")
    assert_nothing_held(team)
    assert AuditEntry.objects.get(action="approval.declined").data["note"] == "Too expensive"
    assert studio.newest_if_failed(team.workspace, team.editor.user) == job


@pytest.mark.parametrize("reason", ["", " \n", "x" * 301])
def test_a_decline_needs_a_reason(team: Team, reason: str) -> None:
    job = ask(team.editor)
    with pytest.raises(InvalidInput) as refused:
        approvals.decline(actor=team.admin, job=job, reason=reason)
    assert set(refused.value.fields) == {"reason"}
    assert approval_of(job).state == State.WAITING


def test_a_decline_is_shown_after_later_edits_too(team: Team) -> None:
    job = ask(team.editor)
    later = ask(team.editor)
    assert studio.newest_if_failed(team.workspace, team.editor.user) is None
    approvals.decline(actor=team.admin, job=job, reason="no")
    assert studio.newest_if_failed(team.workspace, team.editor.user) == job
    approvals.approve(actor=team.admin, job=later, price=PRICE)
    ask(team.editor)
    assert studio.newest_if_failed(team.workspace, team.editor.user) is None


def test_who_asked_can_withdraw_it_and_nobody_else(team: Team) -> None:
    job = ask(team.editor)
    with pytest.raises(PermissionDenied, match="Only who asked"):
        jobs.cancel(actor=team.admin, job=job)
    assert jobs.cancel(actor=team.editor, job=job).status == Status.CANCELED
    assert approval_of(job).state == State.WITHDRAWN
    with pytest.raises(Conflict, match="withdrawn already"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    with pytest.raises(Conflict):
        jobs.cancel(actor=team.editor, job=job)
    assert_nothing_held(team)


def test_it_lapses_after_seven_days(team: Team) -> None:
    job, other = ask(team.editor), ask(team.editor)
    Approval.objects.filter(pk=job.pk).update(expires_at=timezone.now())
    assert (approvals.lapse(), approvals.lapse()) == (1, 0)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "approval_lapsed")
    assert (approval_of(job).state, approval_of(other).state) == (State.LAPSED, State.WAITING)
    assert_nothing_held(team)


def test_an_edit_without_an_approval_cannot_be_decided(team: Team) -> None:
    job = jobs.submit(actor=team.owner, request=NewEdit(prompt=PROMPT, model=KONTEXT))
    with pytest.raises(Conflict, match="needs no approval"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)


# --- What else happens to the workspace, its members and its images ------------------------


def test_edits_of_somebody_who_leaves_are_withdrawn(team: Team) -> None:
    job = ask(team.editor)
    members.remove(actor=team.owner, membership=team.editor.membership)
    assert (approval_of(job).state, approval_of(job).job.status) == (State.WITHDRAWN, Status.CANCELED)


def test_edits_of_a_deleted_account_are_withdrawn(team: Team) -> None:
    job = ask(team.editor)
    people.remove(user=team.editor.user, actor=None)
    assert approval_of(job).state == State.WITHDRAWN


def test_edits_of_a_deleted_workspace_are_withdrawn(team: Team) -> None:
    job = ask(team.editor)
    deletions.delete(actor=team.owner, name=team.workspace.name)
    assert approval_of(job).state == State.WITHDRAWN
    with pytest.raises(EditorError):
        approvals.approve(actor=team.owner, job=job, price=PRICE)


def test_its_images_stay_until_it_has_ended(team: Team) -> None:
    image = make_image(team.editor)
    job = ask(team.editor, image_ids=(image.pk,))
    with pytest.raises(Conflict):
        trash.discard_files(actor=team.editor, job=job)
    trash.discard(actor=team.editor, images=[image])
    image.trashed_at = timezone.now() - timedelta(days=40)
    image.save()
    assert trash.empty(actor=team.editor) == 0
    assert trash.purge() == 0
    assert studio.unused_uploads(team.workspace, team.editor.user) == []
    jobs.cancel(actor=team.editor, job=job)
    assert trash.purge() == 1


def test_it_is_on_the_page_of_who_asked_and_in_the_apis_list_of_pending_jobs(team: Team) -> None:
    job = ask(team.editor)
    assert studio.live_jobs(team.workspace, team.editor.user) == [job]
    assert studio.live_jobs(team.workspace, team.admin.user) == []
    for status, found in (("pending", [job]), ("processing", []), ("canceled", []), (None, [job])):
        assert job_queries.page(team.workspace, number=1, size=10, status=status)[0] == found


def test_webhooks_say_what_happened(team: Team) -> None:
    events = ["approval.requested", "approval.granted", "approval.declined", "job.failed", "job.canceled"]
    endpoints.create(actor=team.owner, url="https://hooks.example/", events=events, origin="")
    approvals.approve(actor=team.admin, job=ask(team.editor), price=PRICE)
    approvals.decline(actor=team.admin, job=ask(team.editor), reason="no")
    jobs.cancel(actor=team.editor, job=ask(team.editor))
    rows = list(WebhookDelivery.objects.order_by("created_at"))
    messages = [json.loads(messages_of.build(row).content) for row in rows]
    granted = next(one for one in messages if one["type"] == "approval.granted")
    assert granted["data"]["approval"]["state"] == "granted"
    assert granted["timestamp"] == granted["data"]["approval"]["decided_at"]
    asked = next(one for one in messages if one["type"] == "approval.requested")
    assert asked["timestamp"] == asked["data"]["approval"]["requested_at"]
    assert [one["type"] for one in messages] == [
        "approval.requested",
        "approval.granted",
        "approval.requested",
        "job.failed",
        "approval.declined",
        "approval.requested",
        "job.canceled",
    ]
