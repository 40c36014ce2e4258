"""Roles, permissions and caps: who may change whose, and what follows at once."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor import events
from editor.access import credentials, lookups
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.errors import Conflict, EditorError, InvalidInput, NotAuthenticated, NotFound, PermissionDenied
from editor.models import AuditEntry, CreditAccount, Job, Membership, Role, Status, Workspace
from editor.operations import api_keys, jobs, last_used, members
from editor.operations.jobs import NewEdit
from tests.factories import UserFactory, make_actor, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


def add(owner: Actor, role: Role = Role.EDITOR, **fields: Any) -> Actor:
    return make_actor(owner.workspace, user=make_member(owner.workspace, role=role, **fields))


def test_a_change_is_stored_and_audited_with_before_and_after(owner: Actor) -> None:
    member = add(owner, monthly_cap=5).membership
    members.change(actor=owner, membership=member, role=Role.VIEWER)
    members.change(actor=owner, membership=member, monthly_cap=None)
    members.change(actor=owner, membership=member, monthly_cap=None)  # changes nothing
    members.change(actor=owner, membership=member, access_image_editor=False)
    member.refresh_from_db()
    assert (member.role, member.monthly_cap, member.access_image_editor) == ("viewer", None, False)
    found = AuditEntry.objects.filter(action="membership.changed").order_by("id")
    assert [(entry.before, entry.after) for entry in found] == [
        ({"role": "Editor"}, {"role": "Viewer"}),
        ({"monthly cap": "5"}, {"monthly cap": "none"}),
        ({"Access Image Editor": "on"}, {"Access Image Editor": "off"}),
    ]
    assert {entry.target for entry in found} == {member.user.email}


@pytest.mark.parametrize("cap", [-1, 2**31])
def test_an_impossible_cap_is_rejected_at_its_field(owner: Actor, cap: int) -> None:
    member = add(owner).membership
    with pytest.raises(InvalidInput) as caught:
        members.change(actor=owner, membership=member, monthly_cap=cap)
    assert set(caught.value.fields) == {"monthly_cap"}


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_editors_and_viewers_change_and_remove_nobody(owner: Actor, role: Role) -> None:
    actor, member = add(owner, role), add(owner).membership
    for target in (member, actor.membership, owner.membership):
        with pytest.raises(PermissionDenied):
            members.change(actor=actor, membership=target, role=Role.ADMIN)
        with pytest.raises(PermissionDenied):
            members.remove(actor=actor, membership=target)
    assert owner.workspace.memberships.count() == 3


def test_admins_neither_make_nor_change_nor_remove_owners(owner: Actor) -> None:
    admin, member = add(owner, Role.ADMIN), add(owner).membership
    with pytest.raises(PermissionDenied, match="Only an owner"):
        members.change(actor=admin, membership=member, role=Role.OWNER)
    with pytest.raises(PermissionDenied, match="Only an owner"):
        members.change(actor=admin, membership=admin.membership, role=Role.OWNER)
    for change in ({"role": Role.VIEWER}, {"monthly_cap": 0}, {"access_image_editor": False}):
        with pytest.raises(PermissionDenied, match="Only an owner"):
            members.change(actor=admin, membership=owner.membership, **change)
    with pytest.raises(PermissionDenied, match="Only an owner"):
        members.remove(actor=admin, membership=owner.membership)
    members.change(actor=admin, membership=member, role=Role.ADMIN)
    members.remove(actor=admin, membership=member)


def test_an_admin_raises_neither_themselves_nor_others_above_themselves(owner: Actor) -> None:
    admin = add(owner, Role.ADMIN, monthly_cap=100, access_image_editor=False)
    member = add(owner, monthly_cap=50, access_image_editor=False).membership
    for target in (admin.membership, member):
        for more in ({"monthly_cap": 101}, {"monthly_cap": None}, {"access_image_editor": True}):
            with pytest.raises(PermissionDenied, match="more than you have"):
                members.change(actor=admin, membership=target, **more)
    members.change(actor=admin, membership=member, monthly_cap=100)
    above = add(owner, monthly_cap=1000).membership
    members.change(actor=admin, membership=above, monthly_cap=999)  # lower, if still above their own
    members.change(actor=owner, membership=owner.membership, monthly_cap=1)
    members.change(actor=owner, membership=owner.membership, monthly_cap=None)


def test_rights_count_as_they_are_at_that_moment(owner: Actor) -> None:
    admin, member = add(owner, Role.ADMIN), add(owner).membership
    members.change(actor=owner, membership=admin.membership, role=Role.EDITOR)
    with pytest.raises(PermissionDenied):
        members.change(actor=admin, membership=member, role=Role.VIEWER)
    members.remove(actor=owner, membership=admin.membership)
    with pytest.raises(PermissionDenied, match="no longer a member"):
        members.remove(actor=admin, membership=member)
    with pytest.raises(NotFound, match="no longer a member"):
        members.change(actor=owner, membership=admin.membership, role=Role.ADMIN)


def test_ownership_is_handed_over_and_the_last_owner_stays(owner: Actor) -> None:
    member = add(owner)
    for act in (
        lambda: members.change(actor=owner, membership=owner.membership, role=Role.ADMIN),
        lambda: members.remove(actor=owner, membership=owner.membership),
        lambda: members.leave(actor=owner),
    ):
        with pytest.raises(Conflict, match="only owner"):
            act()
    members.change(actor=owner, membership=member.membership, role=Role.OWNER)
    members.leave(actor=owner)
    assert owner.workspace.memberships.get().user == member.user


def test_a_service_account_is_not_the_member_that_keeps_a_workspace(owner: Actor) -> None:
    service = UserFactory.create(is_service_account=True)
    Membership.objects.create(workspace=owner.workspace, user=service, role=Role.EDITOR)
    with pytest.raises(NotFound):
        lookups.membership(owner, service.pk)
    with pytest.raises(Conflict):
        members.leave(actor=owner)


def test_members_of_other_workspaces_are_not_found(owner: Actor) -> None:
    stranger = make_actor(make_workspace(name="Rivals"))
    with pytest.raises(NotFound):
        lookups.membership(owner, stranger.user.pk)


def test_the_keys_of_a_removed_member_stay_dead_after_they_come_back(owner: Actor) -> None:
    member = add(owner)
    key, bare = api_keys.create(actor=member, name="script")
    members.remove(actor=owner, membership=member.membership)
    found = api_keys.find(bare)
    assert found
    with pytest.raises(NotAuthenticated, match="no longer a member"):
        credentials.actor_of(found, channel="api")
    members.join(workspace=owner.workspace, user=member.user, role=Role.EDITOR, actor=None)
    with pytest.raises(NotAuthenticated, match="revoked"):
        credentials.actor_of(found, channel="api")
    assert AuditEntry.objects.filter(action="api_key.revoked", target=str(key)).exists()


def test_each_change_is_published(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[events.Event] = []
    monkeypatch.setattr(events, "publish", published.append)
    member = add(owner)
    members.change(actor=owner, membership=member.membership, role=Role.VIEWER)
    members.remove(actor=owner, membership=member.membership)
    workspace_id = owner.workspace.pk
    assert published == [
        events.AccessChanged(workspace_id=workspace_id),
        events.MemberRemoved(workspace_id=workspace_id, user_id=member.user.pk),
    ]


def test_activity_is_noted_once_a_minute(owner: Actor, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        last_used.note_member(owner.membership)
    owner.membership.refresh_from_db()
    with django_assert_num_queries(0):
        last_used.note_member(owner.membership)
    first = owner.membership.last_active_at
    assert first
    Membership.objects.update(last_active_at=first - timedelta(minutes=2))
    owner.membership.refresh_from_db()
    last_used.note_member(owner.membership)
    again = Membership.objects.get(pk=owner.membership.pk).last_active_at
    assert again
    assert again >= first


@pytest.mark.usefixtures("committed")
async def test_the_running_edit_of_a_removed_member_ends_and_is_settled() -> None:
    owner = await in_thread(make_actor)
    member = await in_thread(add, owner)
    job = await in_thread(jobs.submit, actor=member, request=NewEdit(prompt="a quiet harbour"))
    await in_thread(members.remove, actor=owner, membership=member.membership)
    await execution.run(job.id)

    def check() -> None:
        row = Job.objects.get(pk=job.pk)
        account = CreditAccount.objects.get(workspace=owner.workspace)
        assert (row.status, row.workspace, row.created_by) == (Status.COMPLETED, owner.workspace, member.user)
        assert (account.held, account.balance) == (0, 100 - row.charged)
        assert row.charged > 0
        [image] = owner.workspace.images.all()
        assert lookups.image(owner, image.pk) == image

    await in_thread(check)


def test_an_only_owner_cannot_be_removed_even_when_alone(owner: Actor) -> None:
    """Otherwise whoever joins next, by a group of an identity provider for instance, finds no owner."""
    with pytest.raises(Conflict):
        members.remove(actor=owner, membership=owner.membership)


PEOPLE = 4
acts = st.lists(
    st.tuples(
        st.sampled_from(["role", "remove", "leave", "join"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, PEOPLE - 1),
        st.sampled_from(Role),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts)
def test_whatever_members_do_there_is_an_owner(acts: list[tuple[str, int, int, Role]]) -> None:
    workspace = make_workspace()  # a new one for each example
    users = [workspace.members.get(), *(make_member(workspace) for _ in range(PEOPLE - 1))]
    for act, who, whom, role in acts:
        with contextlib.suppress(EditorError):
            do(workspace, users, act, who, whom, role)
        assert workspace.memberships.filter(role=Role.OWNER).exists()


def do(workspace: Workspace, users: list[Any], act: str, who: int, whom: int, role: Role) -> None:
    if act == "join":
        members.join(workspace=workspace, user=users[whom], role=role, actor=None)
        return
    actor = lookups.actor(users[who], workspace.slug)
    if act == "leave":
        members.leave(actor=actor)
        return
    target = lookups.membership(actor, users[whom].pk)
    if act == "role":
        members.change(actor=actor, membership=target, role=role)
    else:
        members.remove(actor=actor, membership=target)
