"""Shared by tests of webhooks: endpoints, ended edits, and running the queue's tasks."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from django.utils import timezone

from editor.access.actor import Actor
from editor.engine import execution
from editor.models import Job, WebhookDelivery, WebhookEndpoint
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.operations.webhooks import endpoints
from editor.worker import webhooks as sending

ORIGIN = "https://portal.example"
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
EVENTS = ["job.completed", "job.failed", "job.canceled", "credits.low"]


def listen(actor: Actor, url: str, events: list[str] = EVENTS) -> tuple[WebhookEndpoint, str]:
    return endpoints.create(actor=actor, url=url, events=events, origin=ORIGIN)


def edit(actor: Actor, prompt: str = "a quiet harbour", **fields: Any) -> Job:
    """Run an edit to its end."""
    job = jobs.submit(actor=actor, request=NewEdit(prompt=prompt, **fields))
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    return job


def send(*rows: WebhookDelivery) -> None:
    """Run the queue's tasks for these deliveries concurrently."""

    async def all_of_them() -> None:
        await asyncio.gather(*(sending.deliver(row.pk) for row in rows))

    asyncio.run(all_of_them())


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def make_due() -> None:
    WebhookDelivery.objects.filter(state="waiting").update(next_try_at=timezone.now())
