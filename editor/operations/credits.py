"""The ledger's only writer: grant, adjust, a new month, transfer, hold, settle, release.

Each call locks the account's row, so entries of one workspace are written one after another,
and keeps the account's totals equal to the sums of its entries. It writes exactly one entry, except
that a new month may write two, and a transfer writes one in each account.
Hold, settle and release belong to the transaction that changes their job. All amounts are
whole credits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from editor import events
from editor.access import operators
from editor.errors import Conflict, InsufficientCredits, InvalidInput
from editor.models import CreditAccount, Job, LedgerEntry, User, Workspace
from editor.operations import alerts, audit, usage

MAXIMUM_GRANT = 1_000_000_000
LONGEST_REASON = 200  # characters


def open_account(*, workspace: Workspace) -> CreditAccount:
    """The workspace's account, created empty on the first call."""
    return CreditAccount.objects.get_or_create(workspace=workspace)[0]


def lock_account(*, workspace_id: UUID) -> CreditAccount:
    """The account, locked until the surrounding transaction ends, with its workspace, which is not."""
    return _for_update().get(workspace=workspace_id)


def lock_accounts(*, workspace_ids: Sequence[UUID]) -> dict[UUID, CreditAccount]:
    """Several accounts by their workspaces' ids, locked in the order in which everybody locks them."""
    rows = _for_update().filter(pk__in=workspace_ids).order_by("pk")
    return {row.workspace_id: row for row in rows}


@transaction.atomic
def grant(*, workspace: Workspace, amount: int, actor: User | None, note: str = "") -> LedgerEntry:
    """Give `amount` credits (1 or more)."""
    if not 1 <= amount <= MAXIMUM_GRANT:
        raise InvalidInput(f"Enter a whole number of credits from 1 to {MAXIMUM_GRANT:,}.")
    entry = _write(
        account=lock_account(workspace_id=workspace.id),
        kind=LedgerEntry.Kind.GRANT,
        amount=amount,
        actor=actor,
        note=note,
    )
    _record(workspace=workspace, action="credits.granted", entry=entry)
    return entry


@transaction.atomic
def adjust(*, workspace: Workspace, amount: int, actor: User | None, note: str) -> LedgerEntry:
    """Correct the balance by `amount` credits, up or down, never below zero."""
    if amount == 0 or abs(amount) > MAXIMUM_GRANT:
        raise InvalidInput("An adjustment must be a whole number of credits other than zero.")
    account = lock_account(workspace_id=workspace.id)
    if account.balance + amount < 0:
        raise InvalidInput(f"The balance is {account.balance:,} credits: it cannot go below zero.")
    entry = _write(account=account, kind=LedgerEntry.Kind.ADJUST, amount=amount, actor=actor, note=note)
    _record(workspace=workspace, action="credits.adjusted", entry=entry)
    return entry


def give(*, workspace: Workspace, amount: int, actor: User, reason: str) -> LedgerEntry:
    """Give `amount` credits for an operator, or with a negative amount take some back.

    reason  1 to LONGEST_REASON characters; the workspace's ledger and audit log show it

    Raises InvalidInput, also if the balance would go below zero.
    """
    operators.require(actor)
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        problem = f"Enter a reason of 1 to {LONGEST_REASON} characters."
        raise InvalidInput(problem, fields={"reason": problem})
    move = grant if amount > 0 else adjust
    return move(workspace=workspace, amount=amount, actor=actor, note=reason)


def begin_month(*, account: CreditAccount, month: date, expires: int, gives: int) -> None:
    """Take back `expires` monthly credits of earlier months, and give the month's. `account` must be locked.

    month    its first day
    expires  at most the balance
    """
    before, kinds = account.balance, LedgerEntry.Kind
    if expires:
        _add(account=account, kind=kinds.EXPIRE, amount=-expires, period=month)
    if gives:
        _add(account=account, kind=kinds.ALLOWANCE, amount=gives, period=month)
    if expires or gives:
        alerts.balance_changed(account=account, before=before)
        events.publish(events.BalanceChanged(workspace_id=account.workspace_id))


def transfer(
    *, source: CreditAccount, target: CreditAccount, amount: int, actor: User, note: str
) -> tuple[LedgerEntry, LedgerEntry]:
    """Move `amount` credits between two locked accounts. Returns the entries of both."""
    kind = LedgerEntry.Kind.TRANSFER
    taken = _write(account=source, kind=kind, amount=-amount, actor=actor, note=note, counterpart=target)
    given = _write(account=target, kind=kind, amount=amount, actor=actor, note=note, counterpart=source)
    for account in (source, target):
        events.publish(events.BalanceChanged(workspace_id=account.workspace_id))
    return taken, given


def check(*, account: CreditAccount, price: int) -> None:
    """Raise InsufficientCredits if the balance is below `price`."""
    if account.balance < price:
        raise InsufficientCredits(
            f"Not enough credits: this edit needs {price:,}, but the workspace has {account.balance:,}. "
            "An operator of this portal can add credits."
        )


def hold(*, account: CreditAccount, job: Job, note: str = "") -> None:
    """Set the job's price aside. `account` must be locked. Raises InsufficientCredits.

    note  what else there is to say about the price
    """
    if job.price == 0:
        return
    check(account=account, price=job.price)
    _write(
        account=account,
        kind=LedgerEntry.Kind.HOLD,
        amount=-job.price,
        held_amount=job.price,
        job=job,
        actor=job.created_by,
        note=note,
        model=job.model,
        channel=job.channel,
        key=job.api_key_id,
    )


def settle(*, job: Job, cost: int) -> None:
    """The job completed: `cost` credits of its hold are spent, the rest is returned."""
    if not 0 <= cost <= job.price:
        raise Conflict(f"A job that held {job.price} credits cannot cost {cost}.")
    account = lock_account(workspace_id=job.workspace_id)
    usage.add(job=job, cost=cost)
    if job.price:
        _write(
            account=account,
            kind=LedgerEntry.Kind.SETTLE,
            amount=job.price - cost,
            held_amount=-job.price,
            job=job,
        )
    alerts.spent(account=account, job=job, cost=cost)


def release(*, job: Job) -> None:
    """The job has no result: its whole hold is returned."""
    account = lock_account(workspace_id=job.workspace_id)
    usage.add(job=job, cost=0)
    if job.price:
        _write(
            account=account,
            kind=LedgerEntry.Kind.RELEASE,
            amount=job.price,
            held_amount=-job.price,
            job=job,
        )


def _for_update() -> QuerySet[CreditAccount]:
    return CreditAccount.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace")


def _write(*, account: CreditAccount, **entry: Any) -> LedgerEntry:
    before = account.balance
    written = _add(account=account, **entry)
    alerts.balance_changed(account=account, before=before)
    return written


def _add(
    *,
    account: CreditAccount,
    kind: LedgerEntry.Kind,
    amount: int,
    held_amount: int = 0,
    job: Job | None = None,
    actor: User | None = None,
    note: str = "",
    **columns: Any,
) -> LedgerEntry:
    account.balance += amount
    account.held += held_amount
    account.save(update_fields=["balance", "held"])
    return LedgerEntry.objects.create(
        account=account,
        kind=kind,
        amount=amount,
        held_amount=held_amount,
        balance_after=account.balance,
        held_after=account.held,
        job=job,
        actor=actor,
        note=note,
        **columns,
    )


def _record(*, workspace: Workspace, action: str, entry: LedgerEntry) -> None:
    audit.record(
        workspace=workspace,
        actor=entry.actor,
        action=action,
        target=f"ledger entry {entry.pk}",
        data={"amount": entry.amount, "note": entry.note},
        before={"balance": entry.balance_after - entry.amount},
        after={"balance": entry.balance_after},
    )
    events.publish(events.BalanceChanged(workspace_id=workspace.id))
