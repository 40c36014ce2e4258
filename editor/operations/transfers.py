"""Transfers of credits between two workspaces of one owner."""

from __future__ import annotations

from django.db import transaction

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, InvalidInput
from editor.models import CreditAccount, Workspace
from editor.operations import allowances, audit, credits, member_rights

LONGEST_NOTE = 200  # characters


@transaction.atomic
def transfer(*, actor: Actor, to: Actor, amount: int, note: str = "") -> None:
    """Move `amount` credits from the actor's workspace to another one: both change, or none.

    to  the same person in the other workspace

    Monthly credits stay where they were given; see `transferable`. Raises PermissionDenied, InvalidInput for
    an amount or note that is not possible, and Conflict for a workspace that was deleted or suspended.
    """
    if actor.user != to.user or actor.workspace == to.workspace:
        raise _wrong("to", "Choose another workspace of yours.")
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise _wrong("note", f"A note has at most {LONGEST_NOTE} characters.")
    ids = [actor.workspace.pk, to.workspace.pk]
    accounts = credits.lock_accounts(workspace_ids=ids)
    for one in (actor, to):  # who has just lost the right has lost it
        member_rights.lock(one).require(Permission.WORKSPACE_OWN)
    for row in Workspace.objects.filter(pk__in=ids):
        _check_open(row)
    source, target = accounts[actor.workspace.pk], accounts[to.workspace.pk]
    _check_amount(source, amount)
    taken, given = credits.transfer(source=source, target=target, amount=amount, actor=actor.user, note=note)
    for one, other, action, entry in (
        (actor, to, "credits.sent", taken),
        (to, actor, "credits.received", given),
    ):
        audit.record(
            workspace=one.workspace,
            actor=one,
            action=action,
            target=other.workspace.name,
            data={"amount": amount, "note": note},
            before={"balance": entry.balance_after - entry.amount},
            after={"balance": entry.balance_after},
        )


def transferable(account: CreditAccount) -> int:
    """How many credits can be moved elsewhere: the balance without what is left of monthly credits.

    These would otherwise never expire, and workspaces could be made only for their monthly credits.
    """
    return max(0, account.balance - allowances.remaining(account))


def _check_open(workspace: Workspace) -> None:
    """As it is under the lock of its account."""
    if workspace.deleted_at:
        raise Conflict(f"“{workspace}” was deleted.")
    if workspace.suspended_at:
        raise Conflict(f"“{workspace}” is suspended. Ask an operator of this portal.")


def _check_amount(source: CreditAccount, amount: int) -> None:
    available = transferable(source)
    if 1 <= amount <= available:
        return
    monthly = source.balance - available
    stay = f" {monthly:,} of the {source.balance:,} are monthly credits, which stay." if monthly else ""
    if available:
        raise _wrong("amount", f"Enter a whole number of credits from 1 to {available:,}.{stay}")
    raise _wrong("amount", f"This workspace has no credits that can be transferred.{stay}")


def _wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={field: problem})
