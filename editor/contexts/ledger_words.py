"""The ledger in words: what each entry is, why there is one, and how a line stands."""

from __future__ import annotations

from editor import phrases
from editor.models import Approval, Job, LedgerEntry, Status

Kind = LedgerEntry.Kind
KINDS = {
    Kind.GRANT: "Granted",
    Kind.ADJUST: "Corrected",
    Kind.ALLOWANCE: "Monthly credits",
    Kind.EXPIRE: "Expired",
    Kind.TRANSFER: "Transferred",
    Kind.HOLD: "Held",
    Kind.SETTLE: "Charged",
    Kind.RELEASE: "Returned",
}
STATES = {
    "running": "Running",
    "done": "Done",
    "approved": "Done, approved",
    "failed": "Failed, returned",
    "canceled": "Canceled",
    "given": "Given",
    "corrected": "Corrected",
    "transferred": "Transferred",
    "expired": "Expired",
}
_STATES_OF_KINDS = {
    Kind.GRANT: "given",
    Kind.ALLOWANCE: "given",
    Kind.ADJUST: "corrected",
    Kind.TRANSFER: "transferred",
    Kind.EXPIRE: "expired",
}


def title(row: LedgerEntry) -> str:
    """What a line is about."""
    if row.job:
        return row.job.prompt
    if row.kind == Kind.TRANSFER:
        return _transferred(row)
    if row.kind == Kind.EXPIRE:
        return "Unspent monthly credits"
    return row.note or KINDS[Kind(row.kind)]


def about(row: LedgerEntry) -> str:
    """What a line that is no edit says in the column of models."""
    if row.kind == Kind.TRANSFER:
        return row.note
    if row.period:
        return f"{'Before ' if row.kind == Kind.EXPIRE else ''}{row.period:%B %Y}"
    return KINDS[Kind(row.kind)] if row.note else ""


def state(row: LedgerEntry) -> tuple[str, str]:
    """The badge of a line, and its tone."""
    job = row.job
    if job is None:
        return STATES[_STATES_OF_KINDS[Kind(row.kind)]], ""
    if job.is_live:
        return STATES["running"], "live"
    if job.status == Status.COMPLETED:
        return STATES["approved" if job.approved else "done"], "good"
    return (STATES["canceled"], "") if job.status == Status.CANCELED else (STATES["failed"], "bad")


def why(row: LedgerEntry, job: Job | None) -> str:
    """Why there is this entry, of this edit."""
    if job:
        return _why_of_edit(job, row)
    reason = f": {row.note}" if row.note else ""
    if row.kind == Kind.TRANSFER:
        return f"{_transferred(row)}{reason}"
    if row.kind == Kind.ALLOWANCE:
        return f"The plan's credits for {row.period:%B %Y}"
    if row.kind == Kind.EXPIRE:
        return f"The plan did not keep them when {row.period:%B %Y} began"
    done = "gave credits" if row.kind == Kind.GRANT else "corrected the balance"
    return f"An operator {done}{reason}"


def unheld(job: Job) -> str:
    """Why an edit that was or is waiting for an approval has no entries; "" for others."""
    approval = approval_of(job)
    if approval is None:
        return ""
    by = approval.decided_by.display_name if approval.decided_by else "A former member"
    return {
        Approval.State.WAITING: "Nothing is held while it waits for an approval",
        Approval.State.DECLINED: f"Nothing was held: {by} declined it",
        Approval.State.LAPSED: "Nothing was held: nobody answered in time",
        Approval.State.WITHDRAWN: "Nothing was held: it was withdrawn",
    }.get(Approval.State(approval.state), "")


def approval_of(job: Job) -> Approval | None:
    """As it was loaded with the job."""
    return getattr(job, "approval", None)


def _transferred(row: LedgerEntry) -> str:
    other = row.counterpart.workspace.name if row.counterpart else "a deleted workspace"
    return f"Transferred {'from' if row.amount > 0 else 'to'} {other}"


def _why_of_edit(job: Job, entry: LedgerEntry) -> str:
    if entry.kind == Kind.HOLD:
        quote = f". {entry.note}" if entry.note else ""
        return f"{phrases.credits(job.price)} set aside when {_start(job)}{quote}"
    if entry.kind == Kind.RELEASE:
        reason = {Status.CANCELED.value: "it was canceled"}.get(job.status, "it has no result")
        return f"All of it was returned: {reason}"
    cost = -entry.held_amount - entry.amount
    if not entry.amount:
        return f"{phrases.credits(cost)}, as quoted"
    return f"{phrases.credits(cost)} instead of {job.price:,}: {_reason_to_return(job)}"


def _start(job: Job) -> str:
    approval = approval_of(job) if job.approved else None
    if approval is None:
        return "the edit started"
    by = approval.decided_by.display_name if approval.decided_by else "a former member"
    raised = f" and raised the cap by {approval.raised_by:,}" if approval.raised_by else ""
    return f"{by} approved the edit{raised}"


def _reason_to_return(job: Job) -> str:
    reasons, price = [], job.price
    if job.reduced_price is not None and job.reduced_price < price:
        price = job.reduced_price
        reasons.append(f"a provider that costs {phrases.credits(price)} took over")
    if job.charged < price:
        reasons.append("not all images could be used")
    return " and ".join(reasons) or "part of it was returned"
