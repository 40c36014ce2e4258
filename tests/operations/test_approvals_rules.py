"""What an approval does not lift: the rules of the workspace, and the limits of its keys."""

from __future__ import annotations

import pytest

from editor.access import credentials
from editor.errors import Conflict
from editor.models import Approval, Role, Status
from editor.operations import api_keys, approvals, usage_rules
from editor.operations.limits import OverLimit
from editor.queries import approvals as queries
from editor.queries import limits
from tests.approvals import PRICE, Team, approval_of, ask, make_team
from tests.factories import make_provider_key

pytestmark = pytest.mark.django_db
NANO = "google/gemini-nano-banana-2.1"  # by Google for 6 credits, by kie for 3


def allow(team: Team, *, providers: list[str]) -> None:
    """To editors."""
    usage_rules.save(
        actor=team.owner,
        role=Role.EDITOR,
        allowed_models=[],
        allowed_tiers=[],
        allowed_providers=providers,
    )


def test_an_approved_edit_runs_on_a_provider_that_its_editor_may_use() -> None:
    team = make_team()
    for provider in ("google", "kie"):
        make_provider_key(workspace=None, provider=provider)
    allow(team, providers=["kie"])
    job = ask(team.editor, model=NANO)
    assert (job.provider, job.price) == ("kie", 3)
    approvals.approve(actor=team.admin, job=job, price=3)
    job.refresh_from_db()
    assert (job.status, job.provider, job.price) == (Status.PENDING, "kie", 3)


def test_an_edit_that_the_rules_do_not_allow_any_more_cannot_be_approved() -> None:
    team = make_team()
    make_provider_key(workspace=None, provider="google")
    job = ask(team.editor, model=NANO)
    allow(team, providers=["kie"])
    with pytest.raises(Conflict, match="rules of this workspace"):
        approvals.approve(actor=team.admin, job=job, price=6)
    assert approval_of(job).state == Approval.State.WAITING


def test_approved_edits_count_against_the_limit_of_a_workspaces_key() -> None:
    team = make_team(approval_threshold=PRICE - 1)
    key, _ = api_keys.create(actor=team.owner, name="nightly", of_workspace=True, monthly_cap=PRICE + 1)
    actor = credentials.actor_of(key, channel="api")
    first, second = ask(actor), ask(actor)
    approvals.approve(actor=team.admin, job=first, price=PRICE)
    [limit] = [one for one in limits.of(actor) if one.kind == "key_month"]
    assert limit.used == PRICE
    assert [cap.used for cap in queries.caps(team.workspace) if cap.user == actor.user] == [PRICE]
    with pytest.raises(OverLimit) as caught:
        approvals.approve(actor=team.admin, job=second, price=PRICE)
    assert caught.value.more["limit"] == "key_month"
