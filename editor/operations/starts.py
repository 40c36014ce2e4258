"""How an edit starts: its credits are held, and it is enqueued."""

from __future__ import annotations

from typing import Any

from editor.models import CreditAccount, Job, JobEvent
from editor.operations import credits, queue, timeline


def start(*, account: CreditAccount, job: Job, in_flight: int, price_note: str = "", **changes: Any) -> None:
    """Hold the job's price and enqueue it. Belongs to the transaction that has locked the account.

    in_flight   how many edits the workspace has queued or running: the more, the later its next one, so that
                no workspace starves the others
    price_note  what the ledger says about the price
    changes     as for `timeline.record`

    Raises InsufficientCredits.
    """
    timeline.record(job=job, kind=JobEvent.Kind.QUEUE, **changes)
    credits.hold(account=account, job=job, note=price_note)
    queue.enqueue(job=job, priority=-in_flight)
