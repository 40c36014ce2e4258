"""A key acts as its creator, with the rights they have now; it dies with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from editor.access.credentials import actor_of
from editor.errors import NotAuthenticated, PermissionDenied
from editor.models import ApiKey, Membership, Role, User
from editor.operations import api_keys, members
from tests.factories import make_actor, make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> ApiKey:
    """Made by an editor who is not the owner."""
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace))
    _, bare = api_keys.create(actor=actor, name="n8n")
    found = api_keys.find(bare)
    assert found is not None
    return found


def test_it_acts_as_the_person_who_made_it_through_the_api_named(
    key: ApiKey, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        actor = actor_of(key, channel="api")
        assert actor.workspace.plan.requests_per_minute > 0
    assert (actor.user, actor.workspace, actor.channel) == (key.created_by, key.workspace, "api")
    assert actor.membership.role == Role.EDITOR
    with pytest.raises(PermissionDenied):
        actor.require_manager()


def test_rights_are_those_of_now(key: ApiKey) -> None:
    Membership.objects.filter(user=key.created_by).update(role=Role.ADMIN)
    actor_of(key, channel="api").require_manager()


@pytest.mark.parametrize(
    "ended",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
    ids=["revoked", "expired"],
)
def test_a_key_that_has_ended_is_nobody(key: ApiKey, ended: dict[str, Any]) -> None:
    ApiKey.objects.update(**ended)
    key.refresh_from_db()
    with pytest.raises(NotAuthenticated, match="expired or was revoked"):
        actor_of(key, channel="api")


def test_the_key_of_one_who_was_switched_off_is_nobody_even_if_read_before(key: ApiKey) -> None:
    User.objects.filter(pk=key.created_by_id).update(is_active=False)
    with pytest.raises(NotAuthenticated):
        actor_of(key, channel="api")


def test_the_key_of_a_removed_member_is_nobody_although_they_belong_elsewhere(key: ApiKey) -> None:
    make_workspace(owner=key.created_by, name="Elsewhere")
    members.remove(
        membership=Membership.objects.get(user=key.created_by, workspace=key.workspace), actor=None
    )
    with pytest.raises(NotAuthenticated, match="no longer a member"):
        actor_of(key, channel="api")


@pytest.mark.parametrize("lost", [{"access_image_editor": False}, {"role": Role.VIEWER}], ids=str)
def test_without_the_permission_the_key_is_known_and_refused(key: ApiKey, lost: dict[str, Any]) -> None:
    Membership.objects.filter(user=key.created_by).update(**lost)
    with pytest.raises(PermissionDenied, match="Access Image Editor"):
        actor_of(key, channel="api")
