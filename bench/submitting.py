"""Submits edits as a workspace's owner; run in a portal's environment."""

from __future__ import annotations

from bench.portal import OWNER
from editor.access.actor import Actor
from editor.models import Membership
from editor.operations import jobs


def submit(slug: str, *, model: str, edits: int) -> None:
    """Submit `edits` edits without images, one after the other."""
    member = Membership.objects.select_related("workspace__plan", "user").get(
        workspace__slug=slug, user__email=OWNER
    )
    actor = Actor(user=member.user, workspace=member.workspace, membership=member)
    for number in range(edits):
        jobs.submit(actor=actor, request=jobs.NewEdit(prompt=f"a quiet harbour, {number}", model=model))
