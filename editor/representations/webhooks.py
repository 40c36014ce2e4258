"""Webhook messages and their signatures.

Endpoints and callers of the public API receive the Standard Webhooks format: a JSON object with
`type`, `timestamp` and `data`, where `data` of a job is that of GET /jobs/{id}. Callers of the
compatible APIs receive what those services send.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from standardwebhooks import Webhook

from editor.access import vault
from editor.models import Event, Job, WebhookDelivery
from editor.operations.webhooks import callbacks, endpoints
from editor.queries import jobs as job_queries
from editor.representations import api, bfl, wiro


@dataclass(frozen=True, slots=True)
class Message:
    """The body and headers of a POST."""

    content: bytes
    headers: dict[str, str]


def build(delivery: WebhookDelivery) -> Message:
    """The message to send now, with freshly signed links. Raises vault.Unreadable."""
    job = job_queries.read(delivery.job_id) if delivery.job_id else None
    if delivery.endpoint:
        secret = vault.decrypt(
            purpose=endpoints.purpose(delivery.endpoint.id), token=delivery.endpoint.secret
        )
        return _standard(delivery, job, base_url=_base_url(delivery.endpoint.origin), secret=secret)
    assert job is not None
    secret = ""
    if job.callback_secret is not None:
        secret = vault.decrypt(purpose=callbacks.purpose(job.id), token=job.callback_secret)
    if build_message := _FORMATS.get(job.channel):
        return build_message(job, secret)
    return _standard(delivery, job, base_url=_base_url(job.origin), secret=secret)


def _base_url(origin: str) -> str:
    """Scheme and host of links: BASE_URL, also for those whose `origin` was stored before it was set."""
    return settings.BASE_URL or origin


def _standard(delivery: WebhookDelivery, job: Job | None, *, base_url: str, secret: str) -> Message:
    """Source: the Standard Webhooks specification, 1.0."""
    data: dict[str, Any]
    if job is not None:
        happened_at = _moment(delivery, job)
        data = api.job(job, base_url=base_url).model_dump(mode="json")
    else:
        data = dict(delivery.data)
        happened_at = datetime.fromisoformat(data.pop("at"))
    assert happened_at is not None
    timestamp = happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = json.dumps({"type": delivery.event, "timestamp": timestamp, "data": data})
    message_id, now = f"msg_{delivery.id.hex}", datetime.now(UTC)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
    if secret:
        headers["webhook-signature"] = Webhook(secret).sign(message_id, now, content)
    return Message(content=content.encode(), headers=_HEADERS | headers)


def _moment(delivery: WebhookDelivery, job: Job) -> datetime | None:
    """When the event happened."""
    match delivery.event:
        case Event.APPROVAL_REQUESTED:
            return job.approval.requested_at
        case Event.APPROVAL_GRANTED | Event.APPROVAL_DECLINED:
            return job.approval.decided_at
    return job.finished_at


def _bfl(job: Job, secret: str) -> Message:
    """BFL's get_result response, with `task_id` for older receivers. Source: its contract, section 10."""
    rendered = bfl.result(job, base_url=_base_url(job.origin))
    content = json.dumps(rendered | {"task_id": rendered["id"]}).encode()
    headers = {}
    if secret:
        signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        headers["x-bfl-signature"] = f"sha256={signature}"
    return Message(content=content, headers=_HEADERS | headers)


def _wiro(job: Job, secret: str) -> Message:
    """Wiro's, which is not signed. Source: its contract, section 13."""
    rendered = wiro.callback(job_queries.read_everything(job.pk), base_url=_base_url(job.origin))
    content = json.dumps(rendered).encode()
    return Message(content=content, headers=_HEADERS)


_HEADERS = {
    "content-type": "application/json",
    "user-agent": "image-editor-portal",
    "connection": "close",
}
# Channels whose callers receive another service's format.
_FORMATS: dict[str, Callable[[Job, str], Message]] = {"bfl": _bfl, "wiro": _wiro}
