"""The card of limits on the page Credits & usage: what there is, what is used of it, where to change it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from editor.models import ApiKey, Role, User, Workspace
from editor.operations import api_keys, usage_rules
from tests.factories import make_actor, make_member, make_workspace
from tests.spending import spend, start
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=100)


def rows(workspace: Workspace, user: User, name: str = "credits") -> dict[str, str]:
    """What stands beside each label, as text."""
    shown = body(
        signed_in(user).get(reverse(name, args=[workspace.slug]), headers=HTMX if "live" in name else {})
    )
    found = re.search(r'<dl class="limits">(.*?)</dl>', shown, re.DOTALL)
    if not found:
        return {}
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", found[1], re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for label, text in pairs}


def test_without_limits(workspace: Workspace) -> None:
    shown = rows(workspace, workspace.members.get())
    assert {label: text.partition(" Change")[0] for label, text in shown.items()} == {
        "Monthly budget": "No limit",
        "Daily budget": "No limit",
        "Approval": "No edit needs one for its price",
        "Members": "No caps",
        "API keys": "No caps",
        "Model rules": "All models for everybody",
    }


@pytest.mark.parametrize("name", ["credits", "credits_live"])
def test_what_is_used_and_where_to_change_it(workspace: Workspace, name: str) -> None:
    owner = workspace.members.get()
    Workspace.objects.filter(pk=workspace.pk).update(monthly_limit=40, daily_limit=0, approval_threshold=1)
    make_member(workspace, daily_cap=5)
    make_member(workspace)
    actor = make_actor(workspace)
    capped, _ = api_keys.create(actor=actor, name="n8n")
    api_keys.create(actor=actor, name="free")
    ApiKey.objects.filter(pk=capped.pk).update(monthly_cap=9)
    usage_rules.save(
        actor=actor,
        role=Role.VIEWER,
        allowed_models=["black-forest-labs/flux-2-pro"],
        allowed_tiers=[],
        allowed_providers=[],
    )
    spend(workspace, owner)
    start(workspace, owner, price=3)
    shown = rows(workspace, owner, name)
    assert shown["Monthly budget"].startswith("7 of 40 used It resets on 1 ")
    assert shown["Daily budget"].startswith("7 of 0 used It resets on ")
    assert shown["Approval"].startswith("Above 1 credit For one edit")
    assert shown["Members"].startswith("1 of 3 with a cap")
    assert shown["API keys"].startswith("1 of 2 with a cap")
    assert shown["Model rules"].startswith("Viewers")


def test_who_cannot_change_them_does_not_see_them(workspace: Workspace) -> None:
    for name in ("credits", "credits_live"):
        assert rows(workspace, make_member(workspace, role=Role.EDITOR), name) == {}
        assert rows(workspace, make_member(workspace, role=Role.ADMIN), name) != {}
