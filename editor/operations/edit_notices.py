"""Notices of long edits that ended while their person had no page open.

Each long edit of the Studio gets one when it ends, and a page that shows the end withdraws it
(`sockets/workspace.py`). So nobody needs to know which process has which pages open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from editor.models import Channel, Job, Status, User
from editor.operations import notices

LONG = timedelta(seconds=10)  # after this, people have turned to something else


def ended(*, job: Job) -> None:
    """Add a notice of the end of a long edit for its person. Belongs to the transaction that ends it."""
    if job.channel != Channel.WEB or timezone.now() - job.created_at <= LONG:
        return
    person = User.objects.filter(jobs=job).first()  # may have been deleted while the edit ran
    if person is None:
        return
    what = "Your edit is ready" if job.status == Status.COMPLETED else "Your edit failed"
    notices.add(
        user=person,
        workspace=job.workspace,
        kind=notices.Kind.EDIT_ENDED,
        source=str(job.pk),
        text=f"{what}: {notices.quoted(job.prompt)}",
        path=reverse("gallery_edit", args=[job.workspace.slug, job.pk]),
    )


def seen(*, user_id: UUID, job_ids: Iterable[UUID]) -> None:
    """A page of the person has shown the end of these edits."""
    for job_id in job_ids:
        notices.withdraw(user_id=user_id, kind=notices.Kind.EDIT_ENDED, source=str(job_id))
