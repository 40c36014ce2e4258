"""Ids from outside: found in the own workspace, else "not found", whatever their format."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from editor.access import lookups, permissions
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import InvalidInput, NotFound, PermissionDenied
from editor.models import Character, Image, ModelAlias, Role, Style
from editor.operations import api_keys
from tests.factories import make_actor, make_member, make_workspace
from tests.web.rows import add_image, add_job

pytestmark = pytest.mark.django_db

Lookup = Callable[[Actor, Any], Any]
each_lookup = pytest.mark.parametrize(
    "lookup", [lookups.image, lookups.job, lookups.style, lookups.character, lookups.api_key]
)

# No row has this id.
NOBODY = uuid.UUID("00000000-0000-4000-8000-000000000000")


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def test_an_actor_is_a_member_with_a_channel() -> None:
    workspace = make_workspace()
    user = make_member(workspace, role=Role.VIEWER)
    actor = lookups.actor(user, workspace.slug, channel="api")
    assert (actor.user, actor.workspace, actor.channel) == (user, workspace, "api")
    assert actor.membership.role == Role.VIEWER


def test_strangers_and_anonymous_users_get_the_same_error_as_for_a_missing_workspace() -> None:
    workspace = make_workspace()
    stranger = make_actor(name="Rivals").user
    gone = make_member(workspace, role=Role.OWNER)
    gone.is_active = False
    gone.save()
    answers = set()
    for user, slug in [
        (stranger, workspace.slug),
        (stranger, "no-such"),
        (AnonymousUser(), workspace.slug),
        (gone, workspace.slug),
    ]:
        with pytest.raises(NotFound) as error:
            lookups.actor(user, slug)  # type: ignore[arg-type]
        answers.add(error.value.message)
    assert len(answers) == 1


def test_a_user_deactivated_meanwhile_is_not_an_actor() -> None:
    workspace = make_workspace()
    user = make_member(workspace)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    assert user.is_active  # stale, as in a socket
    with pytest.raises(NotFound):
        lookups.actor(user, workspace.slug)


@pytest.mark.parametrize(
    ("role", "permission", "may_edit", "may_manage"),
    [
        (Role.OWNER, True, True, True),
        (Role.ADMIN, True, True, True),
        (Role.EDITOR, True, True, False),
        (Role.VIEWER, True, False, False),
        (Role.OWNER, False, False, True),
        (Role.EDITOR, False, False, False),
    ],
)
def test_roles_and_the_permission(role: Role, permission: bool, may_edit: bool, may_manage: bool) -> None:
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace, role=role, access_image_editor=permission))
    for allowed, needed in [(may_edit, Permission.EDIT), (may_manage, Permission.MEMBERS_MANAGE)]:
        if allowed:
            actor.require(needed)
        else:
            with pytest.raises(PermissionDenied):
                actor.require(needed)


@each_lookup
@pytest.mark.parametrize(
    "value",
    ["", "x", "\0", "../..", "1", 1, None, 1.5, "0" * 5000, NOBODY, str(NOBODY), "{}", "\ud800"],
)
def test_an_invalid_id_is_not_found(actor: Actor, lookup: Lookup, value: Any) -> None:
    with pytest.raises(NotFound):
        lookup(actor, value)


def test_own_rows_are_found_by_text_and_by_uuid(actor: Actor) -> None:
    image, job = add_image(actor.workspace), add_job(actor.workspace)
    character = Character.objects.create(workspace=actor.workspace, name="Ada")
    key, _ = api_keys.create(actor=actor, name="n8n")
    rows: list[tuple[Lookup, Any]] = [
        (lookups.image, image),
        (lookups.job, job),
        (lookups.character, character),
        (lookups.api_key, key),
    ]
    for lookup, row in rows:
        assert lookup(actor, row.id) == lookup(actor, str(row.id)) == row


def test_rows_of_another_workspace_are_not_found(actor: Actor) -> None:
    rival = make_workspace(name="Rivals")
    rows: list[tuple[Lookup, Any]] = [
        (lookups.image, add_image(rival)),
        (lookups.job, add_job(rival)),
        (lookups.style, Style.objects.create(workspace=rival, name="Look", prompt="sepia")),
        (lookups.character, Character.objects.create(workspace=rival, name="Ada")),
        (lookups.api_key, api_keys.create(actor=make_actor(rival), name="n8n")[0]),
    ]
    for lookup, row in rows:
        with pytest.raises(NotFound):
            lookup(actor, row.id)


def test_system_styles_are_found_in_every_workspace(actor: Actor) -> None:
    style = Style.objects.create(workspace=None, name="Everybody's", prompt="sepia")
    assert lookups.style(actor, style.id) == style


def test_archived_rows_are_not_found(actor: Actor) -> None:
    now = timezone.now()
    style = Style.objects.create(workspace=actor.workspace, name="Old", prompt="sepia", archived_at=now)
    character = Character.objects.create(workspace=actor.workspace, name="Old", archived_at=now)
    for lookup, row in [(lookups.style, style), (lookups.character, character)]:
        with pytest.raises(NotFound):
            lookup(actor, row.id)


def test_images_are_returned_in_the_requested_order(actor: Actor) -> None:
    first, second = add_image(actor.workspace), add_image(actor.workspace)
    assert lookups.images(actor, [second.id, first.id, second.id]) == [second, first, second]
    assert lookups.images(actor, []) == []


def test_masks_are_not_found_and_too_many_images_are_refused(actor: Actor) -> None:
    mask = add_image(actor.workspace, kind=Image.Kind.MASK)
    with pytest.raises(NotFound):
        lookups.images(actor, [mask.id])
    with pytest.raises(InvalidInput):
        lookups.images(actor, ["x"] * 17)


def test_an_alias_resolves_to_its_target_and_other_names_to_themselves() -> None:
    ModelAlias.objects.create(name="our-own", target="pro")
    assert lookups.alias_target("our-own") == "pro"
    assert [lookups.alias_target(name) for name in ("standard", "", "Our-Own")] == ["standard", "", "Our-Own"]


@pytest.mark.parametrize("permission", Permission)
def test_the_filter_of_memberships_agrees_with_the_table_of_permissions(permission: Permission) -> None:
    workspace = make_workspace()
    for role in Role:
        for access in (True, False):
            make_member(workspace, role=role, access_image_editor=access)
    rows = list(workspace.memberships.all())
    expected = {row.pk for row in rows if permissions.allows(row, permission)}
    found = workspace.memberships.filter(permissions.having(permission))
    assert set(found.values_list("pk", flat=True)) == expected
