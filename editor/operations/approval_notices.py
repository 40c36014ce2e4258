"""Notices and mails about approvals: to those who may decide, and to the person who asked."""

from __future__ import annotations

from django.urls import reverse
from django.utils.text import Truncator

from editor import phrases
from editor.access.actor import Actor
from editor.models import Approval
from editor.operations import mails, notices
from editor.queries import approvals as queries

MAILED_PROMPT = 200  # characters


def requested(*, approval: Approval) -> None:
    """Notify those who may decide. Belongs to the transaction that creates the approval."""
    requester, prompt = approval.job.created_by, notices.quoted(approval.job.prompt)
    for user in queries.deciders(approval.workspace, but=requester):
        notices.add(
            user=user,
            workspace=approval.workspace,
            kind=notices.Kind.APPROVAL_REQUESTED,
            source=str(approval.job_id),
            text=f"{_name(approval)} asks for {phrases.credits(approval.price)}: {prompt}",
            path=reverse("approvals", args=[approval.workspace.slug]),
        )
        if user.approval_mails:
            mails.notify(kind=mails.Kind.APPROVAL_REQUESTED, email=user.email, **details(approval))


def answered(*, approval: Approval, by: Actor | None, reason: str) -> None:
    """Notify the person who asked. Belongs to the transaction of the answer.

    by      who decided; None: nobody did in time
    reason  why it was declined; "" if it was granted
    """
    requester = approval.job.created_by
    if requester is None:
        return
    notices.add(
        user=requester,
        workspace=approval.workspace,
        kind=notices.Kind.APPROVAL_ANSWERED,
        source=str(approval.job_id),
        text=f"{_answer(by, reason)}: {notices.quoted(approval.job.prompt)}",
        path=reverse("gallery_edit", args=[approval.workspace.slug, approval.job_id]),
    )
    if requester.approval_mails:
        state = "granted" if by and not reason else "declined" if by else "lapsed"
        answer = {"state": state, "by": by.user.display_name if by else "", "reason": reason}
        mails.notify(kind=mails.Kind.APPROVAL_ANSWERED, email=requester.email, **details(approval), **answer)


def decided(*, approval: Approval) -> None:
    """Withdraw the notices of those who might have decided."""
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
        "prompt": Truncator(approval.job.prompt).chars(MAILED_PROMPT),
        "price": phrases.credits(approval.price),
        "message": approval.message,
    }


def _name(approval: Approval) -> str:
    requester = approval.job.created_by
    return requester.display_name if requester else ""
