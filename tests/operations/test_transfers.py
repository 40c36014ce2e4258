"""Owners move credits between their workspaces: both accounts change, or none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import Conflict, EditorError, InvalidInput, PermissionDenied
from editor.models import AuditEntry, LedgerEntry, Membership, Plan, Role, Workspace
from editor.operations import transfers, workspaces
from tests.factories import UserFactory, make_actor, make_workspace
from tests.operations.test_credits import assert_adds_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Actor:
    return make_actor(make_workspace(name="Acme Studio", balance=100))


@pytest.fixture
def there(here: Actor) -> Actor:
    return make_actor(make_workspace(name="Acme Print", owner=here.user, balance=5))


def balances(*actors: Actor) -> list[int]:
    return [assert_adds_up(actor.workspace).balance for actor in actors]


def test_a_transfer_is_in_both_ledgers_and_both_audit_logs(here: Actor, there: Actor) -> None:
    transfers.transfer(actor=here, to=there, amount=40, note="  for the\nautumn catalogue ")
    assert balances(here, there) == [60, 45]
    taken, given = LedgerEntry.objects.filter(kind="transfer").order_by("id")
    assert (taken.account_id, taken.amount, taken.counterpart_id) == (
        here.workspace.pk,
        -40,
        there.workspace.pk,
    )
    assert (given.account_id, given.amount, given.counterpart_id) == (
        there.workspace.pk,
        40,
        here.workspace.pk,
    )
    assert {entry.actor for entry in (taken, given)} == {here.user}
    assert {entry.note for entry in (taken, given)} == {"for the autumn catalogue"}
    sent, received = AuditEntry.objects.filter(data__amount=40).order_by("id")
    assert (sent.action, sent.workspace, sent.target) == ("credits.sent", here.workspace, "Acme Print")
    assert (received.action, received.workspace, received.target) == (
        "credits.received",
        there.workspace,
        "Acme Studio",
    )
    assert (sent.before, sent.after) == ({"balance": 100}, {"balance": 60})


@pytest.mark.parametrize("lost", ["here", "there"])
def test_rights_are_those_of_the_moment(here: Actor, there: Actor, lost: str) -> None:
    """A request that began before somebody was demoted or removed moves nothing."""
    of_one = Membership.objects.filter(pk=(here if lost == "here" else there).membership.pk)
    of_one.update(role=Role.ADMIN)
    with pytest.raises(PermissionDenied):
        transfers.transfer(actor=here, to=there, amount=1)
    of_one.delete()
    with pytest.raises(PermissionDenied):
        transfers.transfer(actor=here, to=there, amount=1)
    assert balances(here, there) == [100, 5]


@pytest.mark.parametrize("amount", [0, -1, 101])
def test_no_more_than_there_is(here: Actor, there: Actor, amount: int) -> None:
    with pytest.raises(InvalidInput, match="from 1 to 100") as caught:
        transfers.transfer(actor=here, to=there, amount=amount)
    assert set(caught.value.fields) == {"amount"}
    assert balances(here, there) == [100, 5]


def test_monthly_credits_stay_where_they_were_given(here: Actor) -> None:
    plan = Plan.objects.create(name="Team", monthly_credits=70)
    workspace = workspaces.create(name="Farm", owner=here.user, plan=plan)
    farm = make_actor(workspace)
    with pytest.raises(InvalidInput, match=r"no credits that can be transferred\. 70 of the 70 are monthly"):
        transfers.transfer(actor=farm, to=here, amount=1)
    transfers.transfer(actor=here, to=farm, amount=30)
    with pytest.raises(InvalidInput, match=r"from 1 to 30\. 70 of the 100 are monthly"):
        transfers.transfer(actor=farm, to=here, amount=31)
    transfers.transfer(actor=farm, to=here, amount=30)
    assert balances(here, farm) == [100, 70]


def test_only_an_owner_of_both(here: Actor, there: Actor) -> None:
    for one in (here, there):
        other = UserFactory.create()
        Membership.objects.create(workspace=one.workspace, user=other, role=Role.OWNER)
        Membership.objects.filter(workspace=one.workspace, user=here.user).update(role=Role.ADMIN)
        with pytest.raises(PermissionDenied):
            transfers.transfer(
                actor=make_actor(here.workspace, user=here.user),
                to=make_actor(there.workspace, user=here.user),
                amount=1,
            )
        Membership.objects.filter(workspace=one.workspace, user=here.user).update(role=Role.OWNER)
    assert balances(here, there) == [100, 5]


def test_neither_to_itself_nor_as_two_people(here: Actor) -> None:
    other = make_actor(make_workspace(name="Rivals"))
    for to in (here, other):
        with pytest.raises(InvalidInput, match="another workspace of yours"):
            transfers.transfer(actor=here, to=to, amount=1)


@pytest.mark.parametrize("column", ["deleted_at", "suspended_at"])
@pytest.mark.parametrize("which", [0, 1])
def test_neither_from_nor_to_one_that_is_closed(here: Actor, there: Actor, column: str, which: int) -> None:
    closed = (here, there)[which].workspace
    Workspace.objects.filter(pk=closed.pk).update(**{column: timezone.now()})
    with pytest.raises(Conflict, match=r"deleted|suspended"):
        transfers.transfer(actor=here, to=there, amount=1)
    assert balances(here, there) == [100, 5]


def test_a_long_note_is_refused(here: Actor, there: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        transfers.transfer(actor=here, to=there, amount=1, note="x" * 201)
    assert set(caught.value.fields) == {"note"}


def test_transfers_in_both_directions_at_once_neither_block_nor_lose_credits(committed: None) -> None:
    here = make_actor(make_workspace(name="Acme Studio", balance=100))
    there = make_actor(make_workspace(name="Acme Print", owner=here.user, balance=100))

    def move(number: int) -> bool:
        source, target = (here, there) if number % 2 else (there, here)
        try:
            transfers.transfer(actor=source, to=target, amount=30 + number)
        except EditorError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(move, range(24)))
    assert any(done)
    assert sum(balances(here, there)) == 200
