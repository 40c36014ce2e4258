"""Noticing that a key or its creator has lost access while a call is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from channels.layers import channel_layers
from django.utils import timezone

from editor.access import credentials
from editor.access.actor import Actor
from editor.access.credentials import Holder
from editor.concurrency.threads import in_thread
from editor.errors import EditorError, NotAuthenticated, PermissionDenied
from editor.gateway import rights
from editor.models import ApiKey, Membership, Role, User
from editor.operations import api_keys, deletions, members
from tests.factories import make_actor, make_member
from tests.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    """The in-memory channel layer belongs to one event loop, and each test has its own."""
    channel_layers.backends.clear()


@pytest.fixture
def actor() -> Actor:
    owner = make_actor()
    return make_actor(owner.workspace, user=make_member(owner.workspace))


@pytest.fixture
def key(actor: Actor) -> ApiKey:
    return api_keys.create(actor=actor, name="n8n")[0]


def _membership(key: ApiKey) -> Membership:
    found = Membership.objects.select_related("workspace", "user")
    return found.get(workspace=key.workspace_id, user=key.created_by_id)


def _revoke(actor: Actor, key: ApiKey) -> None:
    api_keys.revoke(actor=actor, key=key)


def _rotate(actor: Actor, key: ApiKey) -> None:
    api_keys.rotate(actor=actor, key=key, overlap=0)


def _remove(actor: Actor, key: ApiKey) -> None:
    members.end(membership=_membership(key), actor=None)


def _make_viewer(actor: Actor, key: ApiKey) -> None:
    membership = _membership(key)
    membership.role = Role.VIEWER
    members.save(membership=membership, actor=None)


def _take_permission(actor: Actor, key: ApiKey) -> None:
    membership = _membership(key)
    membership.access_image_editor = False
    members.save(membership=membership, actor=None)


def _delete_workspace(actor: Actor, key: ApiKey) -> None:
    owner = make_actor(actor.workspace)
    deletions.delete(actor=owner, name=owner.workspace.name)


def _switch_off(actor: Actor, key: ApiKey) -> None:
    user = User.objects.get(pk=key.created_by_id)
    user.is_active = False
    user.save()
    members.account_changed(user=user)


LOSSES: dict[Callable[[Actor, ApiKey], None], type[EditorError]] = {
    _revoke: NotAuthenticated,
    _rotate: NotAuthenticated,
    _remove: NotAuthenticated,
    _switch_off: NotAuthenticated,
    _delete_workspace: NotAuthenticated,
    _make_viewer: PermissionDenied,
    _take_permission: PermissionDenied,
}


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_loss_is_reported_immediately(
    actor: Actor,
    key: ApiKey,
    lose: Callable[[Actor, ApiKey], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rights, "LOOK_EVERY", 3600.0)  # no polling: only an event can report it
    async with rights.watching(credentials.holder_of_key(key)) as loss:
        guard = rights._guards.get()
        while not guard.channel:
            await asyncio.sleep(0.01)
        await in_thread(lose, actor, key)
        async with asyncio.timeout(PATIENCE):
            assert type(await loss) is LOSSES[lose]


def _expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(milliseconds=100))


def _revoke_by_hand(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())


def _delete_key(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).delete()


def _delete_user(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).delete()
    User.objects.filter(pk=key.created_by_id).delete()


@pytest.mark.parametrize("lose", [_expire, _revoke_by_hand, _delete_key, _delete_user])
async def test_a_loss_without_an_event_is_found(
    key: ApiKey, lose: Callable[[ApiKey], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "LOOK_EVERY", 0.05)
    async with rights.watching(credentials.holder_of_key(key)) as loss:
        await in_thread(lose, key)
        async with asyncio.timeout(PATIENCE):
            assert isinstance(await loss, NotAuthenticated)


async def test_an_earlier_loss_is_reported_from_the_start(actor: Actor, key: ApiKey) -> None:
    await in_thread(_revoke, actor, key)
    async with rights.watching(credentials.holder_of_key(key)) as loss:
        assert isinstance(loss.result(), NotAuthenticated)


async def test_only_the_holder_that_lost_access_is_reported(actor: Actor, key: ApiKey) -> None:
    other, _ = await in_thread(api_keys.create, actor=actor, name="other")
    async with (
        rights.watching(credentials.holder_of_key(key)) as lost,
        rights.watching(credentials.holder_of_key(other)) as kept,
    ):
        await in_thread(_revoke, actor, key)
        async with asyncio.timeout(PATIENCE):
            await lost
        assert not kept.done()


async def test_the_listener_stops_when_no_call_is_held(key: ApiKey) -> None:
    async with rights.watching(credentials.holder_of_key(key)):
        guard = rights._guards.get()
        assert len(guard.tasks) == 2
    assert (guard.tasks, dict(guard.losses), dict(guard.workspaces)) == ([], {}, {})


def test_any_number_of_holders_takes_two_queries(
    key: ApiKey, actor: Actor, django_assert_num_queries: Callable[..., object]
) -> None:
    keys = [key, *(api_keys.create(actor=actor, name=f"key {number}")[0] for number in range(5))]
    gone = Holder(workspace_id=actor.workspace.id, user_id=None, key_id=None)
    holders = [*map(credentials.holder_of_key, keys), gone]
    _revoke(actor, key)
    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        found = credentials.lost(holders)
    assert set(found) == {holders[0], gone}
    assert all(isinstance(error, EditorError) for error in found.values())
    assert not credentials.lost([Holder(workspace_id=actor.workspace.id, user_id=actor.user.pk, key_id=None)])
    unknown = Holder(workspace_id=uuid4(), user_id=actor.user.pk, key_id=key.pk)
    assert set(credentials.lost([unknown])) == {unknown}
