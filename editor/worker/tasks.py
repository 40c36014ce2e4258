"""The queue's tasks."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from editor.engine import execution
from editor.operations import queue
from editor.worker import mails, webhooks


# run() raises only if the database is lost; the sweep takes over once these attempts are used up.
@app.task(name=queue.RUN_JOB, queue=queue.JOBS, retry=RetryStrategy(max_attempts=20, wait=1))
async def run_job(job_id: str) -> None:
    """Run the job to its end; see execution.run."""
    await execution.run(UUID(job_id))


@app.task(name=queue.DELIVER_WEBHOOK, queue=queue.WEBHOOKS, retry=RetryStrategy(max_attempts=20, wait=1))
async def deliver_webhook(delivery_id: str) -> None:
    """Send the due deliveries to a receiver; see webhooks.deliver."""
    await webhooks.deliver(UUID(delivery_id))


# Some hours in total, for a mail server that is temporarily unreachable or requests a retry.
@app.task(name=queue.SEND_MAIL, queue=queue.MAILS, retry=RetryStrategy(max_attempts=6, exponential_wait=5))
async def send_mail(kind: str, email: str, origin: str, details: dict[str, str] | None = None) -> None:
    """Write the mail and send it; see mails.send."""
    await mails.send(kind=kind, email=email, origin=origin, details=details or {})
