"""Proof of a ledger: recomputes all that is kept beside its entries, and compares.

Checked are the balance and what is held after each entry, the account's totals, what each edit was charged,
the daily usage, and what the limits of this month count. The database adds up, some entries at a time, so
that a ledger of any length takes the same memory, and each step can be a request of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection

from editor import months
from editor.models import LedgerEntry, Workspace
from editor.queries import limits

AT_ONCE = 100_000  # entries of one step


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a proof has come.

    last     the id of the newest entry that was added up
    until    the newest entry when it began
    balance, held  the sums of the entries so far
    checked  how many entries that were, of `total`
    problem  the first difference, for people; "" so far
    done     nothing is left to check
    """

    workspace: str
    until: int
    total: int
    last: int = 0
    balance: int = 0
    held: int = 0
    checked: int = 0
    problem: str = ""
    done: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def begin(workspace: Workspace) -> Progress:
    entries = LedgerEntry.objects.filter(account=workspace.pk)
    newest = entries.order_by("-id").values_list("id", flat=True).first() or 0
    return Progress(workspace=str(workspace.pk), until=newest, total=entries.count())


def step(progress: Progress, *, size: int = AT_ONCE) -> Progress:
    """Check the next entries; once there are none, the rest."""
    if progress.last < progress.until:
        return _entries(progress, size)
    problem = next((text for check in _WHOLE for text in check(progress)), "")
    return replace(progress, problem=problem, done=True)


def run(workspace: Workspace, *, size: int = AT_ONCE) -> Iterator[Progress]:
    """All steps; the last one is `done`."""
    progress = begin(workspace)
    while not progress.done:
        progress = step(progress, size=size)
        yield progress


_ADD_UP = """
WITH part AS MATERIALIZED (
    SELECT id, amount, held_amount, balance_after, held_after,
        %(balance)s + sum(amount) OVER (ORDER BY id) AS balance,
        %(held)s + sum(held_amount) OVER (ORDER BY id) AS held
    FROM editor_ledgerentry WHERE account_id = %(workspace)s AND id > %(last)s AND id <= %(until)s
    ORDER BY id LIMIT %(size)s
), wrong AS (
    SELECT id, balance_after, held_after, balance, held FROM part
    WHERE balance <> balance_after OR held <> held_after ORDER BY id LIMIT 1
)
SELECT count(part.id), max(part.id), coalesce(sum(part.amount), 0), coalesce(sum(part.held_amount), 0),
    (SELECT row_to_json(wrong) FROM wrong)
FROM part
"""

# The entries of an edit must end what it held, and leave what it was charged.
_EDITS = """
SELECT min(entry.id), job.id, -sum(entry.amount), sum(entry.held_amount), job.status, job.charged, job.price
FROM editor_ledgerentry AS entry JOIN editor_job AS job ON job.id = entry.job_id
WHERE entry.job_id IN (
    SELECT job_id FROM editor_ledgerentry
    WHERE account_id = %(workspace)s AND id > %(last)s AND id <= %(to)s AND job_id IS NOT NULL
)
GROUP BY job.id
HAVING NOT bool_and(entry.account_id = job.workspace_id) OR NOT CASE
    WHEN job.status IN ('pending', 'processing')
    THEN sum(entry.held_amount) = job.price AND -sum(entry.amount) = job.price
    ELSE sum(entry.held_amount) = 0 AND -sum(entry.amount) = job.charged
END
ORDER BY 1 LIMIT 1
"""


def _entries(progress: Progress, size: int) -> Progress:
    parameters = progress.as_dict() | {"size": size}
    [(count, newest, amount, held, wrong)] = _rows(_ADD_UP, parameters)
    if not count:  # they were deleted in the meantime
        return replace(progress, problem="Entries of this ledger are missing.", done=True)
    after = replace(
        progress,
        last=newest,
        balance=progress.balance + int(amount),
        held=progress.held + int(held),
        checked=progress.checked + count,
    )
    wrong_edit = _rows(_EDITS, parameters | {"to": newest})
    problems = [_wrong_entry(wrong)] if wrong else []
    problems += [_wrong_edit(row) for row in wrong_edit]
    if problems:
        return replace(after, problem=min(problems)[1], done=True)
    return after


def _wrong_entry(wrong: dict[str, Any]) -> tuple[int, str]:
    is_, should = (
        f"a balance of {wrong[balance]:,} and {wrong[held]:,} held"
        for balance, held in (("balance_after", "held_after"), ("balance", "held"))
    )
    return wrong["id"], f"Entry {wrong['id']} has {is_} after it; the entries add up to {should}."


def _wrong_edit(row: tuple[Any, ...]) -> tuple[int, str]:
    entry, job, spent, held, status, charged, price = row
    should = f"{price:,} are held for it" if status in ("pending", "processing") else f"it cost {charged:,}"
    return entry, (
        f"Entry {entry}, edit {job}: its entries add up to {spent:,} spent and {held:,} still held, but "
        f"{should} ({status})."
    )


# One statement sees one state of the tables, also while edits start and end.
_TOTALS = """
SELECT account.balance, account.held, %(balance)s + coalesce(sum(entry.amount), 0),
    %(held)s + coalesce(sum(entry.held_amount), 0)
FROM editor_creditaccount AS account
LEFT JOIN editor_ledgerentry AS entry ON entry.account_id = account.workspace_id AND entry.id > %(last)s
WHERE account.workspace_id = %(workspace)s
GROUP BY account.workspace_id
"""


def _totals(progress: Progress) -> Iterator[str]:
    for balance, held, balance_should, held_should in _rows(_TOTALS, progress.as_dict()):
        if (balance, held) != (balance_should, held_should):
            yield (
                f"The account has a balance of {balance:,} and {held:,} held; its entries add up to "
                f"{balance_should:,} and {held_should:,}."
            )


# Only an edit whose approval was not granted has a price and no entries.
_NEVER_HELD = """
SELECT job.id FROM editor_job AS job
WHERE job.workspace_id = %(workspace)s AND job.price > 0
    AND NOT EXISTS (
        SELECT FROM editor_ledgerentry AS entry WHERE entry.job_id = job.id AND entry.kind = 'hold'
    )
    AND NOT EXISTS (
        SELECT FROM editor_approval AS approval
        WHERE approval.job_id = job.id AND approval.state <> 'granted'
    )
LIMIT 1
"""
_NOT_APPROVED = """
SELECT entry.id, entry.job_id, approval.state
FROM editor_approval AS approval JOIN editor_ledgerentry AS entry ON entry.job_id = approval.job_id
WHERE approval.workspace_id = %(workspace)s AND approval.state <> 'granted'
ORDER BY entry.id LIMIT 1
"""


def _holds(progress: Progress) -> Iterator[str]:
    for (job,) in _rows(_NEVER_HELD, progress.as_dict()):
        yield f"Edit {job} costs credits, but no entry holds them."
    for entry, job, state in _rows(_NOT_APPROVED, progress.as_dict()):
        yield f"Entry {entry} is of edit {job}, which was never approved ({state})."


# Rows of both sides with opposite signs: what is left is a difference.
_USAGE = """
SELECT day, model, sum(credits), sum(returned) FROM (
    SELECT job.spent_on AS day, job.created_by_id AS person, job.api_key_id AS key, job.model, job.channel,
        job.provider, job.approved, -ended.held_amount - ended.amount AS credits, ended.amount AS returned
    FROM editor_ledgerentry AS ended JOIN editor_job AS job ON job.id = ended.job_id
    WHERE ended.account_id = %(workspace)s AND ended.kind IN ('settle', 'release')
    UNION ALL
    SELECT day, user_id, api_key_id, model, channel, provider, approved, -credits, -returned
    FROM editor_dailyusage WHERE account_id = %(workspace)s
) AS compared
GROUP BY day, person, key, model, channel, provider, approved
HAVING sum(credits) <> 0 OR sum(returned) <> 0
ORDER BY day LIMIT 1
"""


def _usage(progress: Progress) -> Iterator[str]:
    for day, model, credits, returned in _rows(_USAGE, progress.as_dict()):
        yield (
            f"The usage of {day} with {model}: the entries have {int(credits):+,} charged and "
            f"{int(returned):+,} returned compared with what was added up by day."
        )


# What limits count of a month: charged by day, and held by edits that have not ended.
_COUNTED = """
SELECT person, sum(credits) FROM (
    SELECT job.created_by_id AS person, job.api_key_id AS key, job.approved, -entry.amount AS credits
    FROM editor_ledgerentry AS entry JOIN editor_job AS job ON job.id = entry.job_id
    WHERE entry.account_id = %(workspace)s AND job.spent_on >= %(month)s
    UNION ALL
    SELECT user_id, api_key_id, approved, -credits
    FROM editor_dailyusage WHERE account_id = %(workspace)s AND day >= %(month)s
    UNION ALL
    SELECT created_by_id, api_key_id, approved, -price
    FROM editor_job WHERE workspace_id = %(workspace)s AND status IN ('pending', 'processing')
        AND spent_on >= %(month)s
) AS compared
GROUP BY person, key, approved
HAVING sum(credits) <> 0 LIMIT 1
"""


def _counted(progress: Progress) -> Iterator[str]:
    workspace = Workspace.objects.get(pk=UUID(progress.workspace))
    month = months.of(limits.today(workspace))
    for person, credits in _rows(_COUNTED, progress.as_dict() | {"month": month}):
        yield (
            f"The limits of this month count {-int(credits):+,} credits for {person or 'a former member'} "
            "compared with the entries."
        )


_WHOLE = (_totals, _holds, _usage, _counted)


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
