"""Which models, tiers and providers may be used: by everybody, by a role, in every channel."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.engine import failover
from editor.errors import InvalidInput, PermissionDenied, WorkspaceSuspended
from editor.models import AuditEntry, Job, Role, UsageRule, Workspace
from editor.operations import jobs, usage_rules
from editor.operations.jobs import NewEdit
from editor.providers.base import ErrorKind, ProviderError
from editor.queries import pricing
from editor.queries import usage_rules as rule_queries
from tests.factories import make_actor, make_member, make_provider_key

pytestmark = pytest.mark.django_db

KONTEXT = "black-forest-labs/flux-kontext-pro"
BANANA = "google/gemini-nano-banana-2.1"
FLEX = "black-forest-labs/flux-2-flex"


@pytest.fixture
def owner() -> Actor:
    return make_actor()


def save(actor: Actor, role: str = "", **allowed: list[str]) -> None:
    values: dict[str, Any] = {"allowed_models": [], "allowed_tiers": [], "allowed_providers": [], **allowed}
    usage_rules.save(actor=actor, role=role, **values)


def member(owner: Actor, role: Role = Role.EDITOR) -> Actor:
    return make_actor(owner.workspace, user=make_member(owner.workspace, role=role))


def submit(actor: Actor, **wanted: Any) -> Job:
    return jobs.submit(actor=actor, request=NewEdit(prompt="a harbour", **wanted))


def refused(actor: Actor, **wanted: Any) -> str:
    """Why an edit is refused, by `submit` and before by `check`."""
    request = NewEdit(prompt="a harbour", **wanted)
    with pytest.raises(PermissionDenied) as early:
        jobs.check(actor=actor, request=request)
    with pytest.raises(PermissionDenied) as late:
        jobs.submit(actor=actor, request=request)
    assert early.value.message == late.value.message
    return late.value.message


def test_a_rule_for_everybody_and_one_for_a_role_apply_together(owner: Actor) -> None:
    save(owner, allowed_tiers=["creative", "standard"])
    save(owner, "editor", allowed_tiers=["creative"])
    assert "do not allow you Pro" in refused(owner, tier="pro")
    assert submit(owner, tier="standard").tier == "standard"
    assert "do not allow you Standard" in refused(member(owner), tier="standard")
    assert submit(member(owner), tier="creative").tier == "creative"
    save(owner, "editor")
    assert submit(member(owner), tier="standard").tier == "standard"


def test_only_the_models_of_a_rule_may_be_used(owner: Actor) -> None:
    save(owner, allowed_models=[FLEX])
    assert submit(owner, model=FLEX).model == FLEX
    assert "An owner or admin of it can change them" in refused(owner, model=KONTEXT)
    assert "do not allow you" in refused(owner, tier="standard")
    assert submit(owner).model == FLEX  # what is used if nothing is named


def test_a_model_of_a_tier_that_may_be_used_can_be_named(owner: Actor) -> None:
    save(owner, allowed_tiers=["standard"])
    assert submit(owner, model=KONTEXT).model == KONTEXT
    assert "do not allow you" in refused(owner, model=FLEX)


def test_a_provider_that_is_not_allowed_is_passed_over(owner: Actor) -> None:
    for provider in ("google", "kie"):
        make_provider_key(workspace=None, provider=provider)
    save(owner, allowed_providers=["kie"])
    assert submit(owner, model=BANANA).provider == "kie"
    save(owner, allowed_providers=["bfl"])
    assert "do not allow you Google" in refused(owner, model=BANANA)


def test_failover_keeps_to_the_rules(owner: Actor) -> None:
    for provider in ("google", "kie"):
        make_provider_key(workspace=None, provider=provider)
    down = ProviderError(ErrorKind.UNAVAILABLE, "It is down.")
    job = submit(member(owner), model=BANANA)
    assert job.provider == "google"
    save(owner, "editor", allowed_providers=["google"])
    assert not failover.go_on(job=job, error=down)
    save(owner, "editor")
    assert failover.go_on(job=job, error=down)
    assert job.provider == "kie"


def test_own_keys_follow_the_rules_too(owner: Actor) -> None:
    make_provider_key(workspace=owner.workspace, provider="bfl")
    assert submit(owner, tier="standard", provider="bfl").own_key
    save(owner, allowed_providers=["google"])
    assert "do not allow you" in refused(owner, tier="standard", provider="bfl")


def test_offers_say_what_is_not_allowed(owner: Actor) -> None:
    save(owner, allowed_models=[KONTEXT])
    offered = pricing.offer(workspace=owner.workspace, rules=rule_queries.of(owner))
    assert [name for name, one in offered.models.items() if one and not one.refusal] == [KONTEXT]
    assert offered.default.model.id == KONTEXT


def test_changes_are_audited_and_unchanged_ones_are_not(owner: Actor) -> None:
    save(owner, "viewer", allowed_tiers=["pro", "creative"])
    save(owner, "viewer", allowed_tiers=["creative", "pro"])
    entry = AuditEntry.objects.get(action="workspace.rules_changed")
    assert (entry.data, entry.before, entry.after) == (
        {"who": "viewers"},
        {"allowed_tiers": []},
        {"allowed_tiers": ["creative", "pro"]},
    )


@pytest.mark.parametrize(
    "values",
    [
        {"allowed_models": ["gone"]},
        {"allowed_tiers": ["gone"]},
        {"allowed_providers": ["gone"]},
        {"role": "king"},
    ],
)
def test_unknown_names_are_refused(owner: Actor, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        save(owner, **values)
    assert set(caught.value.fields) == set(values)
    assert not UsageRule.objects.exists()


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_and_admins_make_rules(owner: Actor, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        save(member(owner, role), allowed_tiers=["pro"])
    save(member(owner, Role.ADMIN), allowed_tiers=["pro"])


def test_a_rule_binds_only_its_own_workspace(owner: Actor) -> None:
    save(owner, allowed_tiers=["creative"])
    assert submit(make_actor(name="Other"), tier="pro").tier == "pro"


def test_a_suspended_workspace_starts_no_edit(owner: Actor) -> None:
    running = submit(owner, tier="standard")
    Workspace.objects.update(suspended_at=timezone.now(), suspended_reason="The invoice is open.")
    suspended = make_actor(owner.workspace)
    for actor in (suspended, owner):  # the second was authenticated before
        with pytest.raises(WorkspaceSuspended, match=r"suspended: The invoice is open\. No edit"):
            jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
    with pytest.raises(WorkspaceSuspended):
        jobs.check(actor=suspended, request=NewEdit(prompt="a harbour"))
    running.refresh_from_db()
    assert running.is_live
