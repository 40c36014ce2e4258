"""Notices and mails about approvals: to those who may decide, and to the person who asked."""

from __future__ import annotations

from django.urls import reverse

from editor import phrases
from editor.access.actor import Actor
from editor.models import Approval
from editor.operations import mails, notices
from editor.queries import approvals as queries

SHOWN_PROMPT = 80  # characters


def requested(*, approval: Approval) -> None:
    """Tell those who may decide. Belongs to the transaction that creates the approval."""
    asking = approval.job.created_by
    for user in queries.deciders(approval.workspace, but=asking):
        notices.tell(
            user=user,
            workspace=approval.workspace,
            kind=notices.Kind.APPROVAL_REQUESTED,
            source=str(approval.job_id),
            text=f"{_name(approval)} asks for {phrases.credits(approval.price)}: “{_prompt(approval)}”",
            path=reverse("approvals", args=[approval.workspace.slug]),
        )
        if user.approval_mails:
            mails.notify(kind=mails.Kind.APPROVAL_REQUESTED, email=user.email, **details(approval))


def answered(*, approval: Approval, by: Actor | None, reason: str) -> None:
    """Tell the person who asked. Belongs to the transaction of the answer.

    by      who decided; None: nobody did in time
    reason  why it was declined; "" if it was granted
    """
    asking = approval.job.created_by
    if asking is None:
        return
    notices.tell(
        user=asking,
        workspace=approval.workspace,
        kind=notices.Kind.APPROVAL_ANSWERED,
        source=str(approval.job_id),
        text=f"{_answer(by, reason)}: “{_prompt(approval)}”",
        path=reverse("gallery_edit", args=[approval.workspace.slug, approval.job_id]),
    )
    if asking.approval_mails:
        state = "granted" if by and not reason else "declined" if by else "lapsed"
        answer = {"state": state, "by": by.user.display_name if by else "", "reason": reason}
        mails.notify(kind=mails.Kind.APPROVAL_ANSWERED, email=asking.email, **details(approval), **answer)


def decided(*, approval: Approval) -> None:
    """Take back the notices of those who might have decided."""
    notices.withdraw_all(kind=notices.Kind.APPROVAL_REQUESTED, source=str(approval.job_id))


def _answer(by: Actor | None, reason: str) -> str:
    if by is None:
        return "Nobody answered in time whether your edit may run"
    if reason:
        return f"{by.user.display_name} declined your edit ({reason})"
    return f"{by.user.display_name} approved your edit"


def details(approval: Approval) -> dict[str, str]:
    return {
        "job": str(approval.job_id),
        "slug": approval.workspace.slug,
        "workspace": approval.workspace.name,
        "who": _name(approval),
        "prompt": approval.job.prompt[:200],
        "credits": f"{approval.price:,}",
        "message": approval.message,
    }


def _name(approval: Approval) -> str:
    asking = approval.job.created_by
    return asking.display_name if asking else ""


def _prompt(approval: Approval) -> str:
    prompt = approval.job.prompt
    return prompt if len(prompt) <= SHOWN_PROMPT else prompt[: SHOWN_PROMPT - 1] + "…"
