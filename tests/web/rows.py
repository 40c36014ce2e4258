"""Rows without files and without jobs being run: enough for lists, lookups and query counts."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from editor.models import (
    ENDED,
    CreditAccount,
    Image,
    Job,
    JobEvent,
    JobImage,
    LedgerEntry,
    Status,
    Style,
    User,
    Workspace,
)
from editor.operations import search, usage
from tests.factories import UserFactory


def add_image(
    workspace: Workspace, *, kind: Image.Kind = Image.Kind.SOURCE, save: bool = True, **fields: Any
) -> Image:
    image = Image(
        workspace=workspace,
        kind=kind,
        storage_name=f"nowhere/{uuid.uuid4()}.png",
        content_type="image/png",
        width=96,
        height=64,
        size=1,
        **fields,
    )
    if save:
        image.save(force_insert=True)
    return image


def add_job(workspace: Workspace, *, status: Status = Status.PENDING, price: int = 4, **fields: Any) -> Job:
    """A job that never went through `submit`: the credits of its price are not really held."""
    values: dict[str, Any] = {
        "finished_at": timezone.now() if status in ENDED else None,
        "model": "black-forest-labs/flux-kontext-pro",
        "prompt": "make it warmer",
        "provider": "sandbox",
        "target": "sandbox",
        "time_limit": 60,
    }
    job = Job.objects.create(workspace=workspace, status=status, price=price, **values | fields)
    search.add(jobs=[job])
    if status in ENDED:
        usage.add(job=job, cost=job.charged)
    return job


def add_result(workspace: Workspace, *, user: User | None = None, **job_fields: Any) -> Image:
    """A completed edit without a source: the first version of its own tree."""
    user = user or workspace.members.earliest("date_joined")
    job = add_job(workspace, status=Status.COMPLETED, created_by=user, charged=4, **job_fields)
    return add_image(workspace, kind=Image.Kind.RESULT, job=job, created_by=user)


def add_completed(workspace: Workspace, source: Image, *, version: int, user: User) -> Image:
    """A completed edit of `source`, with its result as version `version`."""
    job = add_job(workspace, status=Status.COMPLETED, parent=source, created_by=user, charged=4)
    return add_image(
        workspace,
        kind=Image.Kind.RESULT,
        job=job,
        parent=source,
        root=source,
        version=version,
        created_by=user,
    )


def add_hold(job: Job) -> None:
    """The ledger entry of a job, without changing the account: good enough for lists."""
    account = CreditAccount.objects.get(workspace=job.workspace)
    LedgerEntry.objects.create(
        account=account,
        kind="hold",
        amount=-4,
        held_amount=4,
        balance_after=account.balance,
        held_after=account.held,
        job=job,
        actor=job.created_by,
    )


def fill(workspace: Workspace, *, rows: int) -> Image:
    """Add `rows` of everything that a page lists; returns the image that some of them are versions of."""
    source = add_image(workspace)
    for number in range(rows):
        person = UserFactory.create()
        result = add_completed(workspace, source, version=number + 2, user=person)
        live = add_job(workspace, parent=result, created_by=person)
        mask = add_image(workspace, kind=Image.Kind.MASK)
        JobImage.objects.create(job=live, image=mask, role=JobImage.Role.MASK, position=1)
        JobEvent.objects.create(job=live, kind=JobEvent.Kind.QUEUE)
        add_hold(live)
        Style.objects.create(workspace=workspace, name=str(uuid.uuid4()), prompt="sepia")
    return source
