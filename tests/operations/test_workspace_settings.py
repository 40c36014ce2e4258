"""What owners and admins set for their workspace, and what honours it."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image as Picture
from pytest_django import Settings

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, InvalidInput, LimitExceeded, NotFound, PermissionDenied
from editor.media import store
from editor.media.limits import BadImage
from editor.models import AuditEntry, Image, Membership, Plan, Role, Sharing, Workspace
from editor.operations import jobs, members, orphans, shares, trash, workspace_settings, workspaces
from editor.queries import pricing
from tests.factories import UserFactory, make_actor, make_image, make_member, photo
from tests.web.factors import add_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor(name="Acme")


def set_defaults(actor: Actor, **changed: object) -> None:
    values = {"default_model": "", "trash_days": 30, "public_sharing": "editors", **changed}
    workspace_settings.set_defaults(actor=actor, **values)  # type: ignore[arg-type]


def member(actor: Actor, role: Role) -> Actor:
    return make_actor(actor.workspace, user=make_member(actor.workspace, role=role))


def test_changes_are_audited_with_before_and_after(actor: Actor) -> None:
    workspace_settings.rename(actor=actor, name="  Acme   Studio ")
    set_defaults(actor, trash_days=7)
    set_defaults(actor, trash_days=7)  # which changes nothing
    add_app(actor.user)
    workspace_settings.require_second_factor(actor=actor, required=True)
    row = Workspace.objects.get()
    assert (row.name, row.slug, row.trash_days, row.second_factor_required) == (
        "Acme Studio",
        "acme",
        7,
        True,
    )
    entries = AuditEntry.objects.filter(action__startswith="workspace.").exclude(action="workspace.created")
    assert [(entry.action, entry.before, entry.after) for entry in entries.order_by("id")] == [
        ("workspace.renamed", {"name": "Acme"}, {"name": "Acme Studio"}),
        ("workspace.defaults_changed", {"trash_days": 30}, {"trash_days": 7}),
        (
            "workspace.second_factor_changed",
            {"second_factor_required": False},
            {"second_factor_required": True},
        ),
    ]


def test_each_change_needs_its_permission(actor: Actor) -> None:
    admin, editor = member(actor, Role.ADMIN), member(actor, Role.EDITOR)
    workspace_settings.rename(actor=admin, name="Acme Studio")
    with pytest.raises(PermissionDenied):
        workspace_settings.require_second_factor(actor=admin, required=True)
    for change in (
        lambda: workspace_settings.rename(actor=editor, name="Mine"),
        lambda: set_defaults(editor, trash_days=1),
        lambda: workspace_settings.set_picture(actor=editor, content=photo()),
        lambda: workspace_settings.remove_picture(actor=editor),
    ):
        with pytest.raises(PermissionDenied):
            change()
    row = Workspace.objects.get()
    assert (row.name, row.trash_days, row.picture_name) == ("Acme Studio", 30, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("default_model", "nonsense"),
        ("trash_days", 0),
        ("trash_days", 366),
        ("public_sharing", "everyone"),
    ],
)
def test_invalid_defaults_are_rejected_at_their_field(actor: Actor, field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_defaults(actor, **{field: value})
    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_workspace_keeps_a_name(actor: Actor, name: str) -> None:
    with pytest.raises(InvalidInput):
        workspace_settings.rename(actor=actor, name=name)


def test_the_trash_is_kept_as_long_as_each_workspace_says(actor: Actor) -> None:
    other = make_actor(name="Rivals")
    set_defaults(actor, trash_days=2)
    short, long = make_image(actor), make_image(other)
    Image.objects.update(trashed_at=timezone.now() - timedelta(days=3))
    assert trash.purge() == 1
    short.refresh_from_db()
    long.refresh_from_db()
    assert (short.purged_at is None, long.purged_at is None) == (False, True)


def test_the_default_model_is_used_where_none_is_named(actor: Actor) -> None:
    usual = pricing.choose(workspace=actor.workspace)
    set_defaults(actor, default_model="pro")
    assert pricing.choose(workspace=actor.workspace).tier == "pro" != usual.tier
    model = "black-forest-labs/flux-2-klein-9b"
    set_defaults(actor, default_model=model)
    assert pricing.choose(workspace=actor.workspace).model.id == model
    assert pricing.choose(workspace=actor.workspace, tier="pro").tier == "pro"
    image = make_image(actor)
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="make it warmer", image_ids=(image.pk,)))
    assert (job.model, job.tier) == (model, "")


def test_a_default_model_that_needs_an_image_is_not_used_for_a_prompt_alone(actor: Actor) -> None:
    offered = pricing.offer(workspace=actor.workspace)
    needs_image = next(
        choice.model.id for choice in offered.models.values() if choice and not choice.model.text_to_image
    )
    usual = pricing.choose(workspace=actor.workspace, prompt_only=True)
    set_defaults(actor, default_model=needs_image)
    assert pricing.choose(workspace=actor.workspace).model.id == needs_image
    assert pricing.choose(workspace=actor.workspace, prompt_only=True) == usual


def test_a_default_model_that_is_not_in_the_catalogue_any_more_is_ignored(actor: Actor) -> None:
    usual = pricing.choose(workspace=actor.workspace)
    actor.workspace.default_model = "gone/model"
    assert pricing.choose(workspace=actor.workspace) == usual


@pytest.mark.parametrize(
    ("sharing", "sharers"),
    [
        (Sharing.EDITORS, {Role.OWNER, Role.ADMIN, Role.EDITOR}),
        (Sharing.MANAGERS, {Role.OWNER, Role.ADMIN}),
        (Sharing.NOBODY, set()),
    ],
)
def test_who_may_share_publicly(actor: Actor, sharing: Sharing, sharers: set[Role]) -> None:
    image = make_image(actor)
    set_defaults(actor, public_sharing=sharing)
    for role in Role:
        one = actor if role == Role.OWNER else member(actor, role)
        assert one.may(Permission.SHARE) == (role in sharers)
        assert (Permission.SHARE in one.permissions) == (role in sharers)
        if role in sharers:
            shares.create(actor=one, image=image, days=1)
        else:
            with pytest.raises(PermissionDenied):
                shares.create(actor=one, image=image, days=1)


def test_links_pause_while_nobody_may_share(actor: Actor) -> None:
    image = make_image(actor)
    _, token = shares.create(actor=actor, image=image, days=1)
    set_defaults(actor, public_sharing=Sharing.NOBODY)
    with pytest.raises(NotFound):
        shares.find(token)
    set_defaults(actor, public_sharing=Sharing.MANAGERS)
    assert shares.find(token).image == image


def test_a_picture_is_re_encoded_replaced_and_removed(actor: Actor) -> None:
    workspace_settings.set_picture(actor=actor, content=photo(width=900, height=300, format="JPEG"))
    first = Workspace.objects.get().picture_name
    with Picture.open(BytesIO(store.read(first))) as picture:
        assert (picture.format, picture.size) == ("WEBP", (160, 53))
    workspace_settings.set_picture(actor=actor, content=photo())
    second = Workspace.objects.get().picture_name
    with pytest.raises(NotFound):
        store.read(first)
    assert store.read(second)
    workspace_settings.remove_picture(actor=actor)
    workspace_settings.remove_picture(actor=actor)
    assert Workspace.objects.get().picture_name == ""
    with pytest.raises(NotFound):
        store.read(second)
    actions = AuditEntry.objects.filter(action__contains="picture").order_by("id")
    assert [entry.action.partition("_")[2] for entry in actions] == ["changed", "changed", "removed"]


def test_a_file_that_is_no_image_is_no_picture(actor: Actor) -> None:
    with pytest.raises(BadImage):
        workspace_settings.set_picture(actor=actor, content=b"<svg/>")
    assert Workspace.objects.get().picture_name == ""


def test_the_sweep_of_orphans_keeps_the_picture(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_settings.set_picture(actor=actor, content=photo())
    monkeypatch.setattr(orphans, "KEPT", timedelta(days=-1))
    assert orphans.Sweep().step() == 0
    assert store.read(actor.workspace.picture_name)


def test_the_last_owner_cannot_leave(actor: Actor) -> None:
    with pytest.raises(Conflict, match="only owner"):
        members.leave(actor=actor)  # also if nobody else is there
    editor = member(actor, Role.EDITOR)
    members.leave(actor=editor)
    second = member(actor, Role.OWNER)
    members.leave(actor=actor)
    assert [row.user for row in Membership.objects.all()] == [second.user]
    assert AuditEntry.objects.filter(action="membership.removed").count() == 2


def test_who_may_create_workspaces_is_a_setting(settings: Settings) -> None:
    user, operator = UserFactory.create(), UserFactory.create(is_superuser=True)
    assert workspaces.create_own(user=user, name="Mine").plan.is_default
    settings.WORKSPACE_CREATION = "operators"
    with pytest.raises(PermissionDenied, match="Only an operator"):
        workspaces.create_own(user=user, name="Another")
    assert workspaces.create_own(user=operator, name="Another").memberships.get().role == Role.OWNER


def test_with_open_sign_up_new_workspaces_are_small_and_few(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGNUP = "open"
    monkeypatch.setattr(workspaces, "MOST_OWNED", 2)
    user = UserFactory.create()
    plans = {workspaces.create_own(user=user, name="Mine").plan for _ in range(2)}
    assert plans == {Plan.objects.get(name=workspaces.SIGN_UP_PLAN)}
    with pytest.raises(LimitExceeded):
        workspaces.create_own(user=user, name="Mine")


def test_giving_workspaces_away_is_no_way_to_ever_more_monthly_credits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workspaces, "MOST_OWNED", 2)
    Plan.objects.update_or_create(is_default=True, defaults={"name": "Standard", "monthly_credits": 100})
    user, friend = UserFactory.create(), UserFactory.create()
    for name in ("One", "Two"):
        mine = make_actor(workspaces.create_own(user=user, name=name), user=user)
        Membership.objects.create(workspace=mine.workspace, user=friend, role=Role.OWNER)
        members.leave(actor=mine)
    with pytest.raises(LimitExceeded, match="created 2 workspaces"):
        workspaces.create_own(user=user, name="Three")
