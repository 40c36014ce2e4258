"""Invitations and their links in tests of pages."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from editor.access import invitation_links
from editor.access.actor import Actor
from editor.models import Invitation, Role
from editor.operations import invitations


def invite(owner: Actor, email: str = "sofia@acme.test", **fields: Any) -> Invitation:
    [found] = invitations.invite(actor=owner, emails=[email], **{"role": Role.EDITOR, **fields})
    assert found.invitation
    return found.invitation


def link(invitation: Invitation) -> str:
    return reverse("invitation", args=[invitation_links.token(invitation)])
