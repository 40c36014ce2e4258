"""`manage.py members`: by address, as text or JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from editor.models import Membership, Plan, Role, Workspace
from tests.factories import UserFactory, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("members", *args, "--workspace", "acme-studio", stdout=out)
    return out.getvalue()


def test_a_person_is_added_listed_given_a_role_and_removed(workspace: Workspace) -> None:
    user = UserFactory.create(email="mei@acme.test", name="Mei Tanaka")
    for _ in range(2):
        assert run("add", "Mei@acme.test", "--role", "viewer") == "mei@acme.test\tviewer\n"
    assert Membership.objects.get(user=user).role == Role.VIEWER
    listed: list[dict[str, Any]] = json.loads(run("list", "--json"))
    assert {one["email"]: one["role"] for one in listed} == {
        workspace.members.get(memberships__role=Role.OWNER).email: "owner",
        "mei@acme.test": "viewer",
    }
    assert run("role", "mei@acme.test", "admin") == "mei@acme.test\tadmin\n"
    assert "Mei Tanaka" in run("remove", "mei@acme.test", "--json")
    assert not Membership.objects.filter(user=user).exists()


def test_what_is_not_possible_is_said_and_changes_nothing(workspace: Workspace) -> None:
    owner = workspace.members.get()
    make_member(workspace)
    for args, problem in (
        (("add", "nobody@acme.test"), "Nobody has an account"),
        (("remove", "nobody@acme.test"), "is not a member"),
        (("role", owner.email, "viewer"), "only owner"),
        (("remove", owner.email), "only owner"),
    ):
        with pytest.raises(CommandError, match=problem):
            run(*args)
    with pytest.raises(CommandError, match="no workspace"):
        call_command("members", "list", "--workspace", "elsewhere")
    Plan.objects.filter(workspaces=workspace).update(seats=2)
    with pytest.raises(CommandError, match="seats"):
        run("add", UserFactory.create().email)
    assert workspace.memberships.count() == 2


def test_caps_are_set_and_removed(workspace: Workspace) -> None:
    user = make_member(workspace)
    assert json.loads(run("cap", user.email, "--monthly", "300", "--daily", "50", "--json"))[0] == {
        **json.loads(run("list", "--json"))[-1],
        "monthly_cap": 300,
        "daily_cap": 50,
    }
    run("cap", user.email, "--daily", "none")
    row = Membership.objects.get(user=user)
    assert (row.monthly_cap, row.daily_cap) == (300, None)
    for wrong, problem in (("-1", "whole number of credits"), ("lots", "invalid")):
        with pytest.raises(CommandError, match=problem):
            run("cap", user.email, f"--daily={wrong}")
