"""Uploads for tests: announced, and sent as the portal's own links receive them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

from editor.access.actor import Actor
from editor.models import Upload
from editor.operations import uploads
from editor.operations.uploads import Ticket
from tests.factories import photo

BASE = "https://portal.test"


def announce(actor: Actor, **fields: Any) -> Ticket:
    fields = {"file_name": "a.png", "content_type": "image/png", "base": BASE, **fields}
    return uploads.create(actor=actor, **fields)


def send(ticket: Ticket, content: bytes) -> None:
    permit = uploads.read_token(ticket.upload_url.rpartition("/")[2])
    uploads.receive(permit=permit, content=content)


def sent(actor: Actor, content: bytes | None = None, **fields: Any) -> Upload:
    """An upload that has its file, by default a small PNG."""
    ticket = announce(actor, **fields)
    send(ticket, photo() if content is None else content)
    return Upload.objects.get(pk=ticket.image_id)


def claim(actor: Actor, *image_ids: uuid.UUID | str) -> None:
    asyncio.run(uploads.claim(actor=actor, image_ids=image_ids))


def expire(upload_id: uuid.UUID, **ago: float) -> None:
    """Make the upload's link have expired `ago`."""
    past = timezone.now() - timedelta(**ago)
    Upload.objects.filter(pk=upload_id).update(created_at=past - timedelta(hours=1), expires_at=past)


def stored_files() -> list[Path]:
    """Every file in the storage."""
    assert isinstance(default_storage, FileSystemStorage)
    return [path for path in Path(default_storage.location).rglob("*") if path.is_file()]
