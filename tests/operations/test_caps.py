"""Limits of members, keys and the workspace: by month and day, which one binds, and who may change them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from editor.access.actor import Actor
from editor.access.invitation_links import Opened
from editor.errors import InvalidInput, PermissionDenied
from editor.models import ApiKey, AuditEntry, Membership, Role, Workspace
from editor.operations import api_keys, invitations, jobs, joining, members, workspace_settings
from editor.operations.jobs import NewEdit
from editor.operations.limits import OverLimit
from editor.queries import limits
from tests.factories import UserFactory, make_actor, make_member

pytestmark = pytest.mark.django_db

EDIT = NewEdit(prompt="a harbour", tier="standard")  # for 4 credits


@pytest.fixture
def owner() -> Actor:
    return make_actor(balance=1000)


def member(owner: Actor, role: Role = Role.EDITOR, **fields: Any) -> Actor:
    return make_actor(owner.workspace, user=make_member(owner.workspace, role=role, **fields))


def with_key(actor: Actor, key: ApiKey) -> Actor:
    holder = make_actor(actor.workspace, user=key.created_by)
    return replace(holder, channel="api", key_id=key.pk)


def over(actor: Actor) -> dict[str, Any]:
    """What the error of the next edit says to programs."""
    with pytest.raises(OverLimit) as caught:
        jobs.submit(actor=actor, request=EDIT)
    return {**caught.value.more, "message": caught.value.message}


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(limits, "timezone", SimpleNamespace(now=lambda: moment))


def set_limits(actor: Actor, **changed: Any) -> None:
    usual = {"monthly_limit": None, "daily_limit": None, "approval_threshold": None, "time_zone": "UTC"}
    workspace_settings.set_limits(actor=actor, **{**usual, **changed})


def test_a_daily_cap_ends_at_the_workspaces_midnight(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(owner, time_zone="Europe/Berlin")
    person = member(owner, daily_cap=5, monthly_cap=9)
    at(monkeypatch, datetime(2026, 11, 30, 22, 30, tzinfo=UTC))
    jobs.submit(actor=person, request=EDIT)
    found = over(person)
    assert (found["limit"], found["remaining"]) == ("member_day", 1)
    assert found["resets_at"] == "2026-11-30T23:00:00.000Z"
    assert "5 credits a day, and 4 are used. This edit needs 4." in found["message"]
    assert "resets on 1 December at 00:00 (Europe/Berlin)" in found["message"]
    at(monkeypatch, datetime(2026, 11, 30, 23, 0, tzinfo=UTC))
    jobs.submit(actor=person, request=EDIT)
    assert over(person)["limit"] == "member_day"


def test_the_limit_with_the_least_left_binds(owner: Actor) -> None:
    set_limits(owner, monthly_limit=7, daily_limit=6)
    person = member(owner, monthly_cap=8)
    jobs.submit(actor=person, request=EDIT)
    assert over(person)["limit"] == "workspace_day"
    set_limits(owner, monthly_limit=7)
    found = over(person)
    assert (found["limit"], found["remaining"]) == ("workspace_month", 3)
    assert "The workspace's budget is 7 credits a month" in found["message"]
    assert over(owner)["limit"] == "workspace_month"


def test_a_limit_of_zero_allows_nothing(owner: Actor) -> None:
    assert over(member(owner, daily_cap=0))["remaining"] == 0


def test_a_lower_cap_binds_whoever_was_authenticated_before(owner: Actor) -> None:
    person = member(owner)
    members.change(actor=owner, membership=person.membership, daily_cap=3)
    assert person.membership.daily_cap is None
    assert over(person)["limit"] == "member_day"


def test_another_time_zone_forgives_nothing(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 11, 10, 12, tzinfo=UTC))
    set_limits(owner, time_zone="Pacific/Kiritimati")  # where it is the 11th
    person = member(owner, daily_cap=4)
    jobs.submit(actor=person, request=EDIT)
    set_limits(owner, time_zone="America/New_York")
    assert over(member_again(person))["limit"] == "member_day"


def member_again(actor: Actor) -> Actor:
    return make_actor(Workspace.objects.get(), user=actor.user)


def test_a_persons_key_has_caps_of_its_own(owner: Actor) -> None:
    person = member(owner)
    key, _ = api_keys.create(actor=person, name="script", monthly_cap=100, daily_cap=4)
    jobs.submit(actor=with_key(owner, key), request=EDIT)
    assert over(with_key(owner, key))["limit"] == "key_day"
    assert "The limit of this API key is 4 credits a day" in over(with_key(owner, key))["message"]
    jobs.submit(actor=person, request=EDIT)


def test_a_rotated_key_shares_its_caps_with_the_new_one(owner: Actor) -> None:
    first, _ = api_keys.create(actor=owner, name="script", monthly_cap=8)
    jobs.submit(actor=with_key(owner, first), request=EDIT)
    second, _ = api_keys.rotate(actor=owner, key=first, overlap=3600)
    third, _ = api_keys.rotate(actor=owner, key=second, overlap=3600)
    assert third.monthly_cap == 8
    jobs.submit(actor=with_key(owner, third), request=EDIT)
    for key in (first, second, third):
        assert over(with_key(owner, key))["limit"] == "key_month"
    api_keys.set_caps(actor=owner, key=first, monthly_cap=12, daily_cap=None)
    jobs.submit(actor=with_key(owner, second), request=EDIT)
    assert over(with_key(owner, third))["limit"] == "key_month"


def test_a_key_of_the_workspace_has_caps_too(owner: Actor) -> None:
    key, _ = api_keys.create(actor=owner, name="n8n", of_workspace=True, monthly_cap=50, daily_cap=4)
    jobs.submit(actor=with_key(owner, key), request=EDIT)
    assert over(with_key(owner, key))["limit"] == "key_day"
    api_keys.set_caps(actor=owner, key=key, monthly_cap=4, daily_cap=None)
    assert over(with_key(owner, key))["limit"] == "key_month"
    new, _ = api_keys.rotate(actor=owner, key=key, overlap=0)
    assert over(with_key(owner, new))["limit"] == "key_month"


def test_changed_caps_of_keys_are_audited(owner: Actor) -> None:
    key, _ = api_keys.create(actor=owner, name="script")
    for _ in range(2):
        api_keys.set_caps(actor=owner, key=key, monthly_cap=7, daily_cap=None)
    entry = AuditEntry.objects.get(action="api_key.changed")
    assert (entry.before, entry.after) == (
        {"monthly_cap": None, "daily_cap": None},
        {"monthly_cap": 7, "daily_cap": None},
    )


def test_who_may_change_the_caps_of_a_key(owner: Actor) -> None:
    person, colleague = member(owner), member(owner)
    admin = member(owner, Role.ADMIN, daily_cap=10)
    own, _ = api_keys.create(actor=person, name="script")
    shared, _ = api_keys.create(actor=owner, name="n8n", of_workspace=True, daily_cap=5)
    caps = {"monthly_cap": None, "daily_cap": 9}
    api_keys.set_caps(actor=person, key=own, **caps)
    api_keys.set_caps(actor=admin, key=own, **caps)
    api_keys.set_caps(actor=admin, key=shared, **caps)
    for actor, key in ((colleague, own), (person, shared)):
        with pytest.raises(PermissionDenied):
            api_keys.set_caps(actor=actor, key=key, **caps)
    with pytest.raises(InvalidInput, match="your own limit is 10 credits a day") as caught:
        api_keys.set_caps(actor=admin, key=shared, monthly_cap=None, daily_cap=11)
    assert set(caught.value.fields) == {"daily_cap"}
    with pytest.raises(InvalidInput, match="whole number of credits"):
        api_keys.set_caps(actor=owner, key=own, monthly_cap=-1, daily_cap=None)


def test_an_admin_gives_nobody_a_higher_daily_cap_than_their_own(owner: Actor) -> None:
    admin, person = member(owner, Role.ADMIN, daily_cap=10), member(owner, daily_cap=5)
    members.change(actor=admin, membership=person.membership, daily_cap=10)
    for cap in (11, None):
        with pytest.raises(PermissionDenied):
            members.change(actor=admin, membership=person.membership, daily_cap=cap)
    entry = AuditEntry.objects.get(action="membership.changed")
    assert (entry.before, entry.after) == ({"daily cap": "5"}, {"daily cap": "10"})


@pytest.mark.parametrize(("role", "cap"), [(Role.ADMIN, 10), (Role.OWNER, None)])
def test_whom_an_admin_with_a_daily_cap_invites_has_that_too(
    owner: Actor, role: Role, cap: int | None
) -> None:
    inviter = member(owner, role, daily_cap=10)
    [invited] = invitations.invite(actor=inviter, emails=["mei@acme.test"], role=Role.EDITOR)
    assert invited.invitation
    person = UserFactory.create(email="mei@acme.test")
    opened = Opened(invited.invitation, mailed=False)
    assert joining.accept(opened=opened, user=person).daily_cap == cap


def test_the_limits_of_the_workspace_are_audited(owner: Actor) -> None:
    set_limits(owner, monthly_limit=2000, time_zone="Europe/Berlin")
    set_limits(owner, monthly_limit=2000, time_zone="Europe/Berlin")
    entry = AuditEntry.objects.get(action="workspace.limits_changed")
    assert (entry.before, entry.after) == (
        {"monthly_limit": None, "time_zone": "UTC"},
        {"monthly_limit": 2000, "time_zone": "Europe/Berlin"},
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_limit", -1),
        ("daily_limit", 2**31),
        ("approval_threshold", -1),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", ""),
    ],
)
def test_impossible_limits_are_refused(owner: Actor, field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_limits(owner, **{field: value})
    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_and_admins_set_them(owner: Actor, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        set_limits(member(owner, role), monthly_limit=1)
    assert not Membership.objects.filter(workspace__monthly_limit=1).exists()
    set_limits(member(owner, Role.ADMIN), monthly_limit=1)
