"""Deleting workspaces in tests."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from editor.access.actor import Actor
from editor.models import (
    Job,
    Workspace,
)
from editor.models.workspaces import RESTORABLE
from editor.operations import (
    deletions,
    jobs,
)
from tests.factories import make_image


def delete(actor: Actor) -> None:
    deletions.delete(actor=actor, name=actor.workspace.name)


def expire(workspace: Workspace) -> None:
    """Long enough ago for a purge."""
    long_ago = timezone.now() - RESTORABLE - deletions.MARGIN - timedelta(minutes=1)
    Workspace.objects.filter(pk=workspace.pk).update(deleted_at=long_ago)


def submitted(actor: Actor) -> Job:
    image = make_image(actor)
    return jobs.submit(actor=actor, request=jobs.NewEdit(prompt="make it warmer", image_ids=(image.pk,)))
