"""Attacks by members, former members and their keys: more rights than given, and data after the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from editor.access import credentials, lookups
from editor.access.actor import Actor
from editor.access.scopes import MANAGE
from editor.concurrency.threads import in_thread
from editor.contexts import audit as audit_contexts
from editor.errors import EditorError, InvalidInput, PermissionDenied, SecondFactorRequired
from editor.models import ApiKey, AuditEntry, Membership, Role, User, Workspace
from editor.operations import api_keys, deletions, members, people, workspaces
from editor.queries import export
from tests.factories import UserFactory, make_actor, make_image, make_member
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor(name="Acme Studio")


def of_role(owner: Actor, role: Role, **fields: Any) -> Actor:
    user = make_member(owner.workspace, role=role, **fields)
    return make_actor(owner.workspace, user=user)


# --- Keys ---------------------------------------------------------------------------------------


def test_an_admin_with_a_cap_gets_no_key_with_a_higher_one_by_rotation(owner: Actor) -> None:
    key, _ = api_keys.create(actor=owner, name="Website", of_workspace=True)
    low, _ = api_keys.create(actor=owner, name="Small", of_workspace=True, monthly_cap=10)
    admin = of_role(owner, Role.ADMIN, monthly_cap=10)
    with pytest.raises(InvalidInput, match="limit"):
        api_keys.rotate(actor=admin, key=key, overlap=0)
    assert ApiKey.objects.get(pk=key.pk).is_live
    assert api_keys.rotate(actor=admin, key=low, overlap=0)
    assert api_keys.rotate(actor=owner, key=key, overlap=0)


def test_an_owners_key_that_manages_members_makes_no_owner_and_changes_none(owner: Actor) -> None:
    """Whoever stole it would delete the workspace."""
    other = of_role(owner, Role.OWNER)
    accomplice = of_role(owner, Role.VIEWER)
    key, _ = api_keys.create(actor=owner, name="Script", scopes=[MANAGE])
    acting = credentials.actor_of(key, channel="api")
    with pytest.raises(PermissionDenied, match="API key"):
        members.change(actor=acting, membership=accomplice.membership, role=Role.OWNER)
    with pytest.raises(PermissionDenied, match="API key"):
        members.change(actor=acting, membership=other.membership, role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match="API key"):
        members.remove(actor=acting, membership=other.membership)
    with pytest.raises(PermissionDenied, match="API key"):
        deletions.delete(actor=acting, name=owner.workspace.name)
    assert members.change(actor=acting, membership=accomplice.membership, role=Role.ADMIN)


@pytest.mark.parametrize("of_workspace", [True, False])
@pytest.mark.parametrize("lose", ["removed", "demoted"])
def test_nobody_gets_a_key_while_they_lose_the_right_to_it(
    owner: Actor, lose: str, of_workspace: bool
) -> None:
    """The request began before: its actor has the former rights."""
    admin = of_role(owner, Role.ADMIN)
    membership = Membership.objects.get(pk=admin.membership.pk)
    if lose == "removed":
        members.remove(actor=owner, membership=membership)
    else:
        members.change(actor=owner, membership=membership, role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        api_keys.create(actor=admin, name="Late", of_workspace=of_workspace)
    assert not ApiKey.objects.exists()
    assert not User.objects.filter(is_service_account=True).exists()


# --- Streams that outlive a membership ---------------------------------------------------------------


def leave(actor: Actor) -> None:
    Membership.objects.filter(pk=actor.membership.pk).delete()


def demote(actor: Actor) -> None:
    Membership.objects.filter(pk=actor.membership.pk).update(role=Role.VIEWER)


def end_sessions(actor: Actor) -> None:
    """As after “Sign out everywhere”, because somebody else has the session."""
    from django.contrib.sessions.models import Session

    Session.objects.all().delete()


ENDS: list[Callable[[Actor], None]] = [leave, demote, end_sessions]


async def read_until_it_ends(response: Any, change: Callable[[], Any]) -> tuple[bytes, bool]:
    """The stream with the change after its first piece, and whether it was cut off."""
    pieces = b""
    try:
        async for piece in response:
            if not pieces:
                await in_thread(change)
            pieces += piece
    except EditorError:
        return pieces, True
    return pieces, False


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("end", ENDS)
async def test_an_export_that_is_read_slowly_ends_with_the_right_to_it(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[Actor], None]
) -> None:
    monkeypatch.setattr(export, "PAGE", 1)

    def prepare() -> Actor:
        actor = make_actor()
        for colour in ("red", "green", "blue"):
            make_image(actor, colour=colour)
        return actor

    actor = await in_thread(prepare)
    client = AsyncClient()
    await in_thread(client.force_login, actor.user)
    response = await client.post(reverse("workspace_export", args=[actor.workspace.slug]))
    _, cut = await read_until_it_ends(response, lambda: end(actor))
    assert cut


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("end", ENDS)
async def test_an_audit_log_that_is_read_slowly_ends_with_the_right_to_it(
    monkeypatch: pytest.MonkeyPatch, end: Callable[[Actor], None]
) -> None:
    monkeypatch.setattr(audit_contexts, "CSV_BATCH", 1)

    def prepare() -> Actor:
        owner = make_actor()
        return of_role(owner, Role.ADMIN)

    admin = await in_thread(prepare)
    client = AsyncClient()
    await in_thread(client.force_login, admin.user)
    response: Any = await client.get(reverse("audit_csv", args=[admin.workspace.slug]))
    content, cut = await read_until_it_ends(response, lambda: end(admin))
    assert cut
    assert b"workspace.created" not in content


# --- Limits and races ---------------------------------------------------------------------------------


def test_two_requests_do_not_create_more_workspaces_than_one_person_may_own() -> None:
    """The second waits for the first: both lock the account's row before they count."""
    user = UserFactory.create()
    with CaptureQueriesContext(connection) as queries:
        workspaces.create_own(user=user, name="One")
    locks = [one["sql"] for one in queries if "FOR NO KEY UPDATE" in one["sql"]]
    assert any('"editor_user"' in sql for sql in locks)


# --- Words of strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1", "\n=1", "\uff1d1+1", "x;@SUM(A1)", " =1"])
def test_no_part_of_a_csv_cell_is_a_formula_in_any_locale(text: str) -> None:
    """Where the list separator is a semicolon, a spreadsheet splits cells at it."""
    for part in audit_contexts.harmless(text).replace("\n", ";").replace("\t", ";").split(";"):
        assert not part.strip().startswith(("=", "+", "-", "@", "\uff1d"))


# --- Deletion and the log -----------------------------------------------------------------------------------


def test_an_owner_without_the_demanded_second_factor_restores_nothing(owner: Actor) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(second_factor_required=True)
    deletions.delete(actor=owner, name=owner.workspace.name)
    with pytest.raises(SecondFactorRequired):
        lookups.owner_of_deleted(owner.user, owner.workspace.slug)


def test_a_key_of_the_workspace_is_nobody_for_whom_an_owner_would_have_to_stay(owner: Actor) -> None:
    api_keys.create(actor=owner, name="Website", of_workspace=True)
    assert people.only_owner_of(owner.user) == []
    assert people.alone_in(owner.user) == [owner.workspace]


def test_a_download_that_was_refused_is_not_recorded_as_an_export(owner: Actor) -> None:
    image = make_image(owner)
    client, path = signed_in(owner.user), reverse("gallery_zip", args=[owner.workspace.slug])
    held = [client.get(path, {"images": str(image.pk)}) for _ in range(3)]
    assert [one.status_code for one in held] == [200, 200, 429]
    assert AuditEntry.objects.filter(action="images.exported").count() == 2
