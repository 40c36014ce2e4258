"""For any members and scopes, a key's rights are never more than its holder's or its maker's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.access import scopes
from editor.access.actor import Actor
from editor.access.permissions import RULES, Permission, of
from editor.access.scopes import PERMISSIONS, SCOPES
from editor.errors import InvalidInput, PermissionDenied
from editor.gateway.profile import Caller
from editor.models import ApiKey, Membership, Role, User, Workspace
from editor.operations import api_keys

roles = st.sampled_from(list(Role))
some_scopes = st.lists(st.sampled_from(list(SCOPES)), unique=True)
caps = st.none() | st.integers(0, 10)


def actor(role: Role, *, access: bool, cap: int | None = None) -> Actor:
    """Without a database: nothing here reads rows."""
    membership = Membership(role=role, access_image_editor=access, monthly_cap=cap)
    return Actor(user=User(id=uuid4()), workspace=Workspace(), membership=membership)


def rights(acting: Actor, granted: list[str]) -> set[Permission]:
    """What calls with such a key may do."""
    caller = Caller(actor=acting, key=ApiKey(scopes=granted))
    found = set()
    for scope in SCOPES:
        try:
            caller.require(scope)
        except PermissionDenied:
            continue
        found.add(PERMISSIONS[scope])
    return found


@given(roles, st.booleans(), some_scopes)
def test_a_key_never_does_more_than_its_holder(role: Role, access: bool, granted: list[str]) -> None:
    holder = actor(role, access=access)
    assert rights(holder, granted) <= of(holder.membership)


@given(roles, st.booleans(), some_scopes)
def test_a_key_never_does_more_than_its_scopes(role: Role, access: bool, granted: list[str]) -> None:
    covered = {PERMISSIONS[scope] for scope in SCOPES if scopes.allows(granted, scope)}
    assert rights(actor(role, access=access), granted) <= covered


@pytest.mark.parametrize("permission", Permission)
def test_an_owner_has_every_permission_and_more_access_is_never_less(permission: Permission) -> None:
    assert Role.OWNER in RULES[permission].roles
    assert RULES[permission].needs_editor <= RULES[permission].roles
    for role in Role:
        assert of(actor(role, access=False).membership) <= of(actor(role, access=True).membership)


@pytest.mark.django_db
class TestMakers:
    """With real rows: what a member can make."""

    @pytest.fixture
    def workspace(self) -> Workspace:
        from tests.factories import make_workspace

        return make_workspace()

    def test_a_new_key_never_does_more_than_its_maker(self, workspace: Workspace) -> None:
        from django.db import transaction

        from tests.factories import UserFactory, make_actor

        user = UserFactory.create()
        membership = Membership.objects.create(workspace=workspace, user=user)

        @given(roles, st.booleans(), some_scopes, st.booleans(), caps, caps)
        def check(
            role: Role, access: bool, wanted: list[str], of_workspace: bool, own: int | None, cap: int | None
        ) -> None:
            membership.role, membership.access_image_editor, membership.monthly_cap = role, access, own
            membership.save()
            maker = make_actor(workspace, user=user)
            with transaction.atomic():
                try:
                    key, _ = api_keys.create(
                        actor=maker, name="x", scopes=wanted, of_workspace=of_workspace, monthly_cap=cap
                    )
                    holder = make_actor(workspace, user=key.created_by)
                    assert rights(holder, key.scopes) <= maker.permissions
                    assert holder.membership.role != Role.OWNER or holder.user == user
                    assert of_workspace == holder.user.is_service_account
                    if own is not None and role != Role.OWNER:
                        assert holder.membership.monthly_cap is not None
                        assert holder.membership.monthly_cap <= own
                except (PermissionDenied, InvalidInput):
                    pass
                finally:
                    transaction.set_rollback(True)

        check()
