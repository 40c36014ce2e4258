"""Keeps the result of the newest proof of each ledger."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import LedgerCheck, Workspace
from editor.operations import audit
from editor.queries.proof import Progress

log = logging.getLogger("editor.credits")


def save(*, actor: Actor, result: Progress, milliseconds: int) -> None:
    """Keep what a proof of the actor's workspace found. Raises PermissionDenied."""
    actor.require(Permission.USAGE_VIEW)
    save_for_operator(workspace=actor.workspace, result=result, milliseconds=milliseconds)


@transaction.atomic
def save_for_operator(*, workspace: Workspace, result: Progress, milliseconds: int) -> None:
    """Keep what it found. A difference is in the log and in the audit log, where operators see it."""
    LedgerCheck.objects.update_or_create(
        account_id=workspace.pk,
        defaults={
            "checked_at": timezone.now(),
            "entries": result.checked,
            "milliseconds": milliseconds,
            "problem": result.problem[:300],
        },
    )
    if result.problem:
        log.error("the ledger of %s does not add up: %s", workspace.slug, result.problem)
        data = {"problem": result.problem}
        audit.record(
            workspace=workspace, actor=None, action="credits.differ", target=workspace.name, data=data
        )
