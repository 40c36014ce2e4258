"""Members and API keys for tests."""

from __future__ import annotations

import uuid
from typing import Any

from editor.access.actor import Actor
from editor.models import ApiKey, AuditEntry, Role
from editor.operations import api_keys
from tests.factories import make_actor, make_member


def colleague(actor: Actor, role: Role = Role.EDITOR, **fields: Any) -> Actor:
    return make_actor(actor.workspace, user=make_member(actor.workspace, role=role, **fields))


def fill_up(actor: Actor, count: int = api_keys.LIVE_KEYS) -> None:
    ApiKey.objects.bulk_create(
        ApiKey(
            workspace=actor.workspace,
            created_by=actor.user,
            name="n8n",
            public_id=f"{number:08}",
            secret_hash=uuid.uuid4().hex,
        )
        for number in range(count)
    )


def noted(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=f"api_key.{action}")
