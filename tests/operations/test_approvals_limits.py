"""What an approval cannot be used for: a key's cap and the rules of the workspace hold for approved edits too."""

from __future__ import annotations

import pytest

from editor.access.actor import Actor
from editor.errors import Conflict
from editor.models import CreditAccount, Membership, Role, Status
from editor.operations import api_keys, approvals, usage_rules
from editor.operations.limits import OverLimit
from editor.queries import limits
from editor.queries.limits import Kind
from tests.approvals import KONTEXT, PRICE, Team, approval_of, ask, make_team
from tests.factories import make_actor, make_provider_key

pytestmark = pytest.mark.django_db


def holder(team: Team, *, monthly_cap: int) -> Actor:
    """A key of the workspace, made by its admin, who has the same cap."""
    Membership.objects.filter(pk=team.admin.membership.pk).update(monthly_cap=monthly_cap)
    admin = make_actor(team.workspace, user=team.admin.user)
    key, _ = api_keys.create(actor=admin, name="Robot", of_workspace=True, monthly_cap=monthly_cap)
    actor = make_actor(team.workspace, user=key.created_by)
    return Actor(
        user=actor.user, workspace=team.workspace, membership=actor.membership, channel="api", key_id=key.pk
    )


def save_rule(team: Team, *, role: str = "", models: list[str] = [], providers: list[str] = []) -> None:
    usage_rules.save(
        actor=team.owner, role=role, allowed_models=models, allowed_tiers=[], allowed_providers=providers
    )


def test_the_cap_of_a_workspaces_key_holds_for_approved_edits() -> None:
    """Or else an admin could spend any amount with a key of the workspace, and approve it themselves."""
    team = make_team(cap=None, approval_threshold=0)
    robot = holder(team, monthly_cap=PRICE)
    first, second = ask(robot), ask(robot)
    approvals.approve(actor=team.admin, job=first, price=PRICE)
    with pytest.raises(OverLimit) as refused:
        approvals.approve(actor=team.admin, job=second, price=PRICE)
    assert refused.value.limit.kind == Kind.KEY_MONTH
    assert CreditAccount.objects.get(workspace=team.workspace).held == PRICE
    assert [one.used for one in limits.of(robot) if one.kind == Kind.KEY_MONTH] == [PRICE]


def test_an_approved_edit_goes_to_a_provider_that_the_rules_allow() -> None:
    for provider in ("bfl", "fal"):
        make_provider_key(workspace=None, provider=provider)
    team = make_team()
    save_rule(team, providers=["fal"])
    job = ask(team.editor)
    approvals.approve(actor=team.admin, job=job, price=job.price)
    job.refresh_from_db()
    assert (job.status, job.provider) == (Status.PENDING, "fal")


def test_a_rule_that_came_later_binds_the_edit_that_waits() -> None:
    team = make_team()
    job = ask(team.editor)
    save_rule(team, role=Role.EDITOR, models=["black-forest-labs/flux-kontext-max"])
    with pytest.raises(Conflict, match="rules of this workspace"):
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert approval_of(job).state == "waiting"
    save_rule(team, role=Role.EDITOR, models=[KONTEXT])
    approvals.approve(actor=team.admin, job=job, price=PRICE)
