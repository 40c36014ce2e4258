"""Addresses of workspaces: unique among current and former ones, and the old ones lead to the new one."""

from __future__ import annotations

import pytest

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import InvalidInput, NotFound, PermissionDenied, WorkspaceMoved
from editor.models import AuditEntry, FormerAddress
from editor.operations import addresses, workspaces
from tests.factories import UserFactory, make_actor, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor(name="Acme")


def test_former_addresses_lead_members_to_the_current_one(actor: Actor) -> None:
    addresses.change(actor=actor, address="acme-studio")
    addresses.change(actor=actor, address=" Studio-1 ")
    for former in ("acme", "acme-studio"):
        with pytest.raises(WorkspaceMoved) as moved:
            lookups.actor(actor.user, former)
        assert moved.value.slug == "studio-1"
        with pytest.raises(NotFound) as stranger:
            lookups.actor(UserFactory.create(), former)
        assert not isinstance(stranger.value, WorkspaceMoved)
    assert lookups.actor(actor.user, "studio-1").workspace == actor.workspace
    entry = AuditEntry.objects.filter(action="workspace.address_changed").latest("id")
    assert (entry.before, entry.after) == ({"address": "acme-studio"}, {"address": "studio-1"})


def test_a_workspace_can_return_to_its_former_address(actor: Actor) -> None:
    addresses.change(actor=actor, address="acme-2")
    addresses.change(actor=actor, address="acme")
    assert lookups.actor(actor.user, "acme").workspace == actor.workspace
    assert list(FormerAddress.objects.values_list("slug", flat=True)) == ["acme-2"]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "Enter 2 to 60"),
        ("a", "Enter 2 to 60"),
        ("x" * 61, "Enter 2 to 60"),
        ("a b", "Enter 2 to 60"),
        ("a--b", "Enter 2 to 60"),
        ("-ab", "Enter 2 to 60"),
        ("söhne", "Enter 2 to 60"),
        ("a_b", "Enter 2 to 60"),
        ("admin", "reserved"),
        ("rivals", "taken"),
        ("rivals-before", "taken"),
    ],
)
def test_an_address_must_be_plain_and_free(actor: Actor, address: str, problem: str) -> None:
    rival = make_actor(name="Rivals before")
    addresses.change(actor=rival, address="rivals")
    with pytest.raises(InvalidInput, match=problem) as caught:
        addresses.change(actor=actor, address=address)
    assert set(caught.value.fields) == {"address"}
    assert lookups.actor(actor.user, "acme")


def test_new_workspaces_get_neither_reserved_nor_former_addresses(actor: Actor) -> None:
    addresses.change(actor=actor, address="other")
    owner = UserFactory.create()
    made = [workspaces.create(name=name, owner=owner).slug for name in ("Acme", "Admin", "Other")]
    assert made == ["acme-2", "admin-2", "other-2"]


def test_the_number_of_former_addresses_is_limited(actor: Actor) -> None:
    for number in range(addresses.MOST_FORMER):
        addresses.change(actor=actor, address=f"acme-{number}")
    with pytest.raises(InvalidInput, match="Choose one of those"):
        addresses.change(actor=actor, address="one-more")
    addresses.change(actor=actor, address="acme")  # which was its own


def test_an_editor_cannot_change_the_address(actor: Actor) -> None:
    editor = make_actor(actor.workspace, user=make_member(actor.workspace))
    with pytest.raises(PermissionDenied):
        addresses.change(actor=editor, address="mine")


def test_an_operators_change_keeps_the_former_address_too(actor: Actor) -> None:
    actor.workspace.slug = "acme-2"
    workspaces.save(workspace=actor.workspace)
    with pytest.raises(WorkspaceMoved):
        lookups.actor(actor.user, "acme")
