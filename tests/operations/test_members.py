"""Memberships: each change is audited, and a workspace with members keeps an owner."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from editor.errors import Conflict
from editor.models import AuditEntry, Membership, Role, User, Workspace
from editor.operations import api_keys, members, people
from editor.queries import workspaces
from tests.factories import PASSWORD, UserFactory, make_actor, make_member, make_workspace
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> Membership:
    return workspace.memberships.get()


def demote(membership: Membership) -> None:
    membership.role = Role.ADMIN
    members.save(membership=membership, actor=None)


def test_membership_changes_are_audited(workspace: Workspace, owner: Membership) -> None:
    added = Membership(workspace=workspace, user=UserFactory.create(), role=Role.VIEWER)
    members.save(membership=added, actor=owner.user)
    demote(added)
    found = AuditEntry.objects.filter(action__startswith="membership.").order_by("id")
    assert [(entry.action, entry.target, entry.before, entry.after) for entry in found] == [
        (
            "membership.added",
            added.user.email,
            None,
            {"role": "Viewer", "Access Image Editor": "on", "monthly cap": "none", "daily cap": "none"},
        ),
        ("membership.changed", added.user.email, {"role": "Viewer"}, {"role": "Admin"}),
    ]
    assert found[0].actor == owner.user


def test_the_last_owner_is_neither_demoted_nor_removed(workspace: Workspace, owner: Membership) -> None:
    second = workspace.memberships.get(user=make_member(workspace))
    with pytest.raises(Conflict, match="the only owner of Acme Studio"):
        demote(owner)
    with pytest.raises(Conflict, match="Make another member its owner first"):
        members.end(membership=owner, actor=None)
    owner.refresh_from_db()
    assert owner.role == Role.OWNER
    members.join(workspace=workspace, user=second.user, role=Role.OWNER, actor=None)
    demote(owner)
    members.end(membership=owner, actor=None)
    assert workspace.memberships.get().role == Role.OWNER


def test_an_owner_without_members_may_leave_but_not_be_demoted(owner: Membership) -> None:
    with pytest.raises(Conflict):
        demote(owner)
    members.end(membership=owner, actor=None)
    assert not Membership.objects.exists()


def test_a_person_who_owns_what_others_use_is_not_deleted(workspace: Workspace, owner: Membership) -> None:
    assert people.only_owner_of(owner.user) == []
    member = make_member(workspace)
    assert people.only_owner_of(owner.user) == [workspace]
    with pytest.raises(Conflict, match="only owner"):
        people.remove(user=owner.user, actor=None)
    people.remove(user=member, actor=None)
    people.remove(user=owner.user, actor=None)
    assert not User.objects.exists()


def test_keys_of_a_workspace_are_no_people_that_use_it(workspace: Workspace, owner: Membership) -> None:
    actor = make_actor(workspace, user=owner.user)
    api_keys.create(actor=actor, name="Website", of_workspace=True)
    assert people.only_owner_of(owner.user) == []
    assert people.alone_in(owner.user) == [workspace]
    assert [row.people for row in workspaces.memberships(owner.user)] == [1]  # type: ignore[attr-defined]
    assert not workspaces.progress(workspace).team


def test_making_a_member_owner_twice_is_audited_once(workspace: Workspace) -> None:
    for user in (make_member(workspace, access_image_editor=False), UserFactory.create()):
        for _ in range(2):
            members.join(workspace=workspace, user=user, role=Role.OWNER, actor=None)
        membership = workspace.memberships.get(user=user)
        assert (membership.role, membership.access_image_editor) == (Role.OWNER, True)
    noted = AuditEntry.objects.filter(action__startswith="membership.").order_by("id")
    assert list(noted.values_list("action", flat=True)) == ["membership.changed", "membership.added"]


@pytest.mark.usefixtures("committed")
def test_two_owners_who_demote_each_other_leave_one_owner() -> None:
    workspace = make_workspace()
    members.join(workspace=workspace, user=UserFactory.create(), role=Role.OWNER, actor=None)
    first, second = workspace.memberships.order_by("id")
    refused: list[Conflict] = []

    def demote_second() -> None:
        try:
            demote(second)
        except Conflict as error:
            refused.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=demote_second)
    with transaction.atomic():
        demote(first)
        other.start()
        wait_until(somebody_waits_for_our_locks)
    other.join(PATIENCE)
    assert len(refused) == 1
    assert workspace.memberships.get(role=Role.OWNER) == second


def test_the_last_operator_keeps_their_rights() -> None:
    operator = User.objects.create_superuser("operator@example.test", PASSWORD)
    for right in ("is_active", "is_staff", "is_superuser"):
        without = User.objects.get(pk=operator.pk)
        setattr(without, right, False)
        with pytest.raises(Conflict, match="last operator"):
            people.save(user=without)
    User.objects.create_superuser("second@example.test", PASSWORD)
    operator.is_superuser = False
    people.save(user=operator)
    assert User.objects.get(is_superuser=True).email == "second@example.test"
