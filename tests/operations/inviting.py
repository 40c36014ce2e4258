"""Invitations and their links in tests of operations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from editor.access import invitation_links
from editor.access.actor import Actor
from editor.models import Invitation, Role
from editor.operations import invitations


def invite(actor: Actor, email: str = "sofia@acme.test", **fields: Any) -> Invitation:
    [result] = invitations.invite(actor=actor, emails=[email], **{"role": Role.EDITOR, **fields})
    assert result.invitation, result.problem
    return result.invitation


def link(invitation: Invitation) -> invitation_links.Opened:
    return invitation_links.read(invitation_links.token(invitation))


def end(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1), sent_at=timezone.now() - timedelta(days=8)
    )
