"""Those who may decide get a notice until somebody does; who asked gets one with the answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.errors import Conflict
from editor.models import Approval, Membership, Notice, Role, User
from editor.operations import approvals, jobs, members
from editor.operations.jobs import NewEdit
from editor.operations.notices import Kind
from editor.queries import notices as queries
from tests.approvals import KONTEXT, PRICE, PROMPT, Team, ask, make_team
from tests.factories import make_member
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team()


def texts(user: User) -> list[str]:
    return [notice.text for notice in queries.newest(user)]


def requests_left() -> int:
    return Notice.objects.filter(kind=Kind.APPROVAL_REQUESTED).count()


def test_all_who_may_decide_are_told_and_nobody_else(team: Team) -> None:
    bystander = make_member(team.workspace, role=Role.EDITOR)
    ask(team.editor)
    name = team.editor.user.display_name
    for actor in (team.owner, team.admin):
        assert texts(actor.user) == [f"{name} asks for 4 credits: “{PROMPT}”"]
        [notice] = queries.newest(actor.user)
        assert signed_in(actor.user).get(notice.path).status_code == 200
    assert texts(team.editor.user) == texts(bystander) == []


def test_an_admin_who_asks_is_not_asked(team: Team) -> None:
    Membership.objects.filter(pk=team.admin.membership.pk).update(monthly_cap=0)
    ask(team.admin)
    assert (len(texts(team.owner.user)), texts(team.admin.user)) == (1, [])


def test_an_edit_that_may_start_is_no_notice(team: Team) -> None:
    jobs.submit(actor=team.admin, request=NewEdit(prompt=PROMPT, model=KONTEXT, approval_message=""))
    assert not Notice.objects.exists()


def test_a_long_prompt_is_cut(team: Team) -> None:
    request = NewEdit(prompt="x" * 81, model=KONTEXT, approval_message="")
    jobs.submit(actor=team.editor, request=request)
    assert texts(team.owner.user)[0].endswith(f" credits: “{'x' * 79}…”")


def test_the_answer_goes_to_who_asked_and_ends_the_question(team: Team) -> None:
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert texts(team.editor.user) == [f"{team.admin.user.display_name} approved your edit: “{PROMPT}”"]
    assert requests_left() == 0
    assert texts(team.admin.user) == texts(team.owner.user) == []
    approvals.approve(actor=team.admin, job=job, price=PRICE)  # again
    assert len(texts(team.editor.user)) == 1


def test_a_declined_one_is_told_with_the_reason(team: Team) -> None:
    approvals.decline(actor=team.owner, job=ask(team.editor), reason="Too expensive")
    name = team.owner.user.display_name
    assert texts(team.editor.user) == [f"{name} declined your edit (Too expensive): “{PROMPT}”"]
    assert requests_left() == 0
    [notice] = queries.newest(team.editor.user)
    assert signed_in(team.editor.user).get(notice.path).status_code == 200


def test_one_that_nobody_answered_is_told(team: Team) -> None:
    ask(team.editor)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert approvals.lapse() == 1
    assert texts(team.editor.user) == [f"Nobody answered in time whether your edit may run: “{PROMPT}”"]
    assert requests_left() == 0


def test_one_that_is_withdrawn_ends_the_question_without_an_answer(team: Team) -> None:
    jobs.cancel(actor=team.editor, job=ask(team.editor))
    assert not Notice.objects.exists()


def test_the_questions_of_a_member_who_is_removed_end(team: Team) -> None:
    ask(team.editor)
    members.remove(actor=team.owner, membership=team.editor.membership)
    assert not Notice.objects.exists()


def test_only_the_question_that_was_answered_ends(team: Team) -> None:
    first, _ = ask(team.editor), ask(team.editor)
    approvals.decline(actor=team.owner, job=first, reason="no")
    assert len(texts(team.owner.user)) == len(texts(team.admin.user)) == 1


def test_a_changed_price_leaves_the_question(team: Team) -> None:
    job = ask(team.editor)
    with pytest.raises(Conflict, match="has changed"):
        approvals.approve(actor=team.admin, job=job, price=PRICE - 1)
    assert requests_left() == 2
    assert texts(team.editor.user) == []
