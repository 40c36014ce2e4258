"""The audit log's only writer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.models import AuditEntry, User, Workspace


def record(
    *,
    workspace: Workspace,
    actor: User | None,
    action: str,
    target: str = "",
    data: Mapping[str, Any] | None = None,
    ip: str | None = None,
) -> None:
    """Record an action, in the same transaction as the action itself. `data` must contain no secret."""
    AuditEntry.objects.create(
        workspace=workspace, actor=actor, action=action, target=target, data=dict(data or {}), ip=ip
    )
