"""How much of its storage a workspace uses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import PositiveBigIntegerField, Q, Sum, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from editor.media.limits import MAX_BYTES
from editor.models import StorageAccount, Upload, Workspace

_BYTES = PositiveBigIntegerField()
# The link of an upload without a declared size accepts files up to the largest size.
_RESERVED = Coalesce(
    "received_size", Least(Coalesce("declared_size", Value(MAX_BYTES)), Value(MAX_BYTES)), output_field=_BYTES
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes used, including unused uploads, and bytes that the plan allows (None: unlimited)."""

    used: int
    allowed: int | None

    @property
    def is_full(self) -> bool:
        return self.allowed is not None and self.used >= self.allowed


def usage(workspace: Workspace) -> Usage:
    account = StorageAccount.objects.filter(workspace=workspace).first()
    stored = account.stored if account else 0
    return Usage(used=stored + reserved(workspace.pk), allowed=workspace.plan.storage_bytes)


def reserved(workspace_id: UUID) -> int:
    """Bytes of unused uploads: received, or else what their links still accept."""
    unused = Upload.objects.filter(workspace=workspace_id, checked_at=None)
    waiting = unused.filter(Q(received_at__isnull=False) | Q(expires_at__gt=timezone.now()))
    return int(waiting.aggregate(total=Sum(_RESERVED))["total"] or 0)
