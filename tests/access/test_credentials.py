"""A key acts as its creator, with their current rights, and stops working without them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from editor.access.credentials import actor_of
from editor.access.permissions import Permission
from editor.errors import NotAuthenticated, PermissionDenied
from editor.models import ApiKey, Membership, Role, User
from editor.operations import api_keys, members
from tests.factories import make_actor, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> ApiKey:
    """Created by an editor who is not the owner."""
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace))
    _, bare = api_keys.create(actor=actor, name="n8n")
    found = api_keys.find(bare)
    assert found is not None
    return found


def test_it_acts_as_its_creator_through_the_given_channel(
    key: ApiKey, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        actor = actor_of(key, channel="api")
        assert actor.workspace.plan.requests_per_minute > 0
    assert (actor.user, actor.workspace, actor.channel) == (key.created_by, key.workspace, "api")
    assert actor.membership.role == Role.EDITOR
    with pytest.raises(PermissionDenied):
        actor.require(Permission.MEMBERS_MANAGE)


def test_it_has_its_creators_current_rights(key: ApiKey) -> None:
    Membership.objects.filter(user=key.created_by).update(role=Role.ADMIN)
    actor_of(key, channel="api").require(Permission.MEMBERS_MANAGE)


@pytest.mark.parametrize(
    "ended",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
    ids=["revoked", "expired"],
)
def test_an_ended_key_is_rejected(key: ApiKey, ended: dict[str, Any]) -> None:
    ApiKey.objects.update(**ended)
    key.refresh_from_db()
    with pytest.raises(NotAuthenticated, match="expired or was revoked"):
        actor_of(key, channel="api")


def test_the_key_of_a_deactivated_user_is_rejected_even_if_loaded_before(key: ApiKey) -> None:
    User.objects.filter(pk=key.created_by_id).update(is_active=False)
    with pytest.raises(NotAuthenticated):
        actor_of(key, channel="api")


def test_the_key_of_a_removed_member_is_rejected_even_with_another_workspace(key: ApiKey) -> None:
    make_workspace(owner=key.created_by, name="Elsewhere")
    members.end(membership=Membership.objects.get(user=key.created_by, workspace=key.workspace), actor=None)
    with pytest.raises(NotAuthenticated, match="no longer a member"):
        actor_of(key, channel="api")


@pytest.mark.parametrize("lost", [{"access_image_editor": False}, {"role": Role.VIEWER}], ids=str)
def test_without_the_permission_the_key_is_recognized_and_refused(key: ApiKey, lost: dict[str, Any]) -> None:
    Membership.objects.filter(user=key.created_by).update(**lost)
    with pytest.raises(PermissionDenied, match="Access Image Editor"):
        actor_of(key, channel="api")
