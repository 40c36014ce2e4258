"""People and edits for tests of approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from editor.access.actor import Actor
from editor.models import Approval, Job, Role, Workspace
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from tests.factories import make_actor, make_member, make_workspace

KONTEXT = "black-forest-labs/flux-kontext-pro"
PRICE = 4  # credits, on the sandbox
PROMPT = "a quiet harbour"


@dataclass(frozen=True)
class Team:
    """`editor`: whose monthly cap allows no edit."""

    workspace: Workspace
    owner: Actor
    admin: Actor
    editor: Actor


def make_team(*, balance: int = 100, cap: int | None = 0, **settings: Any) -> Team:
    workspace = make_workspace(balance=balance)
    for name, value in settings.items():
        setattr(workspace, name, value)
    workspace.save()
    return Team(
        workspace=workspace,
        owner=make_actor(workspace),
        admin=make_actor(workspace, user=make_member(workspace, role=Role.ADMIN)),
        editor=make_actor(workspace, user=make_member(workspace, monthly_cap=cap)),
    )


def ask(actor: Actor, message: str = "", *, model: str = KONTEXT, **fields: Any) -> Job:
    """Submit an edit that waits for an approval if it has to."""
    request = NewEdit(prompt=PROMPT, model=model, approval_message=message, **fields)
    return jobs.submit(actor=actor, request=request)


def approval_of(job: Job) -> Approval:
    return Approval.objects.select_related("job").get(pk=job.pk)
