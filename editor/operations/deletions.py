"""Deleting workspaces: out of reach at once, restored within RESTORABLE, or purged after it.

A purge goes in steps that are small and can be repeated. The workspace's row is the last to go, so a crash
leaves nothing that a later sweep does not find.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from editor import events
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, InvalidInput
from editor.media import store
from editor.models import (
    LIVE,
    UNENDED,
    ApiKey,
    Approval,
    AuditEntry,
    Character,
    CreditAccount,
    FormerAddress,
    Image,
    Invitation,
    Job,
    JobEvent,
    JobImage,
    LedgerEntry,
    Membership,
    ProviderKey,
    Quote,
    SearchEntry,
    ShareLink,
    Star,
    Status,
    StorageAccount,
    Style,
    Upload,
    UsageRule,
    User,
    WebhookDelivery,
    WebhookEndpoint,
    Workspace,
)
from editor.models.workspaces import RESTORABLE
from editor.operations import audit, credits, outcomes

log = logging.getLogger("editor.workspaces")

MARGIN = timedelta(hours=1)  # between the end of restoring and a purge: clocks differ
BATCH = 500  # rows or files of a step
STEPS = 400  # of one call
_FOLDERS = ("incoming", "w")

Step = Callable[[], int]


def delete(*, actor: Actor, name: str) -> None:
    """Delete the workspace: nobody can reach it any more, and its live edits are canceled and refunded.

    name  as a confirmation, the workspace's

    Raises PermissionDenied, InvalidInput for another name, and Conflict if it has been deleted.
    """
    actor.require(Permission.WORKSPACE_OWN)
    if name.split() != actor.workspace.name.split():  # a page shows several spaces as one
        problem = "This is not the name of the workspace."
        raise InvalidInput(problem, fields={"name": problem})
    with transaction.atomic():
        # As submissions of edits do: there is none after this.
        credits.lock_account(workspace_id=actor.workspace.pk)
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
        if workspace.deleted_at:
            raise Conflict("This workspace has been deleted already.")
        workspace.deleted_at, workspace.deleted_by = timezone.now(), actor.user
        workspace.save(update_fields=["deleted_at", "deleted_by"])
        audit.record(workspace=workspace, actor=actor, action="workspace.deleted", target=workspace.name)
        events.publish(events.AccessChanged(workspace_id=workspace.pk))
    cancel_jobs(workspace=workspace)


@transaction.atomic
def restore(*, workspace: Workspace, actor: audit.By) -> None:
    """Restore a deleted workspace: for one of its owners, or an operator.

    Raises PermissionDenied, and Conflict if it was not deleted, or too long ago.
    """
    if isinstance(actor, Actor):
        actor.require(Permission.WORKSPACE_OWN)
    row = Workspace.objects.select_for_update(no_key=True).filter(pk=workspace.pk).first()
    if row is None or row.restorable_until is None:
        raise Conflict("This workspace is not deleted, or it is gone for good.")
    if row.restorable_until <= timezone.now():
        raise Conflict(f"“{row}” was deleted more than {RESTORABLE.days} days ago and cannot be restored.")
    row.deleted_at = row.deleted_by = None
    row.save(update_fields=["deleted_at", "deleted_by"])
    audit.record(workspace=row, actor=actor, action="workspace.restored", target=row.name)


def cancel_jobs(*, workspace: Workspace) -> int:
    """Cancel the jobs of a deleted workspace that run or wait; returns how many.

    Each in a transaction of its own: ending a job locks it before the credits.
    """
    count = 0
    live = Job.objects.filter(workspace=workspace, status__in=UNENDED, cancel_requested_at=None)
    for pk in live.values_list("pk", flat=True):
        with transaction.atomic():
            job = Job.objects.select_for_update(no_key=True).get(pk=pk)
            if job.has_ended:
                continue
            if job.status == Status.WAITING:
                outcomes.end_waiting(job=job, state=Approval.State.WITHDRAWN)
            else:
                outcomes.request_cancel(job=job)
            count += 1
    return count


def sweep() -> int:
    """Cancel what a crash left running in deleted workspaces, and purge those that cannot be restored.

    Returns how many workspaces were purged. A large one takes several calls.
    """
    deleted = Workspace.objects.exclude(deleted_at=None).order_by("deleted_at")
    for workspace in deleted:
        cancel_jobs(workspace=workspace)
    count, steps = 0, STEPS
    for workspace in deleted.filter(deleted_at__lt=timezone.now() - RESTORABLE - MARGIN):
        steps = _purge(workspace, steps)
        if steps == 0:
            break
        count += 1
        log.info("the workspace %s (%s) was purged", workspace.slug, workspace.pk)
    return count


def _purge(workspace: Workspace, steps: int) -> int:
    """Delete everything of a workspace in at most so many steps; returns how many are left."""
    for step in _steps(workspace):
        while step():
            steps -= 1
            if steps == 0:
                return 0
    with _purging(workspace):
        audit.record(workspace=None, actor=None, action="workspace.purged", target=workspace.name)
        Workspace.objects.filter(pk=workspace.pk).delete()
    return steps


def _steps(workspace: Workspace) -> Iterator[Step]:
    """What to do in this order, each until it returns 0."""
    jobs, images = Job.objects.filter(workspace=workspace), Image.objects.filter(workspace=workspace)
    yield partial(_end_jobs, jobs.filter(status__in=LIVE))
    for folder in _FOLDERS:
        yield partial(_delete_files, f"{folder}/{workspace.pk}/")
    for rows in _first_rows(workspace):
        yield partial(_delete_rows, workspace, rows)
    # Jobs and images refer to each other: from the newest versions back to the first.
    yield partial(_delete_versions, workspace, jobs, images)
    for rows in _last_rows(workspace):
        yield partial(_delete_rows, workspace, rows)


def _first_rows(workspace: Workspace) -> tuple[QuerySet[Any], ...]:
    """Rows that refer to jobs and images."""
    return (
        WebhookDelivery.objects.filter(workspace=workspace),
        WebhookEndpoint.objects.filter(workspace=workspace),
        LedgerEntry.objects.filter(account=workspace.pk),
        SearchEntry.objects.filter(workspace=workspace),
        Approval.objects.filter(workspace=workspace),
        JobEvent.objects.filter(job__workspace=workspace),
        JobImage.objects.filter(job__workspace=workspace),
        Character.objects.filter(workspace=workspace),
        Star.objects.filter(image__workspace=workspace),
        ShareLink.objects.filter(image__workspace=workspace),
    )


def _last_rows(workspace: Workspace) -> tuple[QuerySet[Any], ...]:
    return (
        Quote.objects.filter(workspace=workspace),
        UsageRule.objects.filter(workspace=workspace),
        Style.objects.filter(workspace=workspace),
        Upload.objects.filter(workspace=workspace),
        AuditEntry.objects.filter(workspace=workspace),
        # With their keys and memberships.
        User.objects.filter(is_service_account=True, api_keys__workspace=workspace).distinct(),
        ApiKey.objects.filter(workspace=workspace),
        ProviderKey.objects.filter(workspace=workspace),
        Invitation.objects.filter(workspace=workspace),
        FormerAddress.objects.filter(workspace=workspace),
        CreditAccount.objects.filter(workspace=workspace),
        StorageAccount.objects.filter(workspace=workspace),
        Membership.objects.filter(workspace=workspace),
    )


def _end_jobs(live: QuerySet[Job]) -> int:
    """No worker has ended them for a month."""
    ended = list(live[:BATCH])
    for job in ended:
        outcomes.end_canceled(job=job)
    return len(ended)


def _delete_files(folder: str) -> int:
    """By their names, so that files without a row go too."""
    names = [file.name for file in store.listed(after=folder, most=BATCH) if file.name.startswith(folder)]
    for name in names:
        store.delete(name)
    return len(names)


def _delete_rows(workspace: Workspace, rows: QuerySet[Any]) -> int:
    with _purging(workspace):
        return int(rows.filter(pk__in=list(rows.values_list("pk", flat=True)[:BATCH])).delete()[0])


def _delete_versions(workspace: Workspace, jobs: QuerySet[Job], images: QuerySet[Image]) -> int:
    """Those jobs and images that nothing refers to."""
    results = Image.objects.filter(job=OuterRef("pk"))
    children = Image.objects.filter(parent=OuterRef("pk"))
    descendants = Image.objects.filter(root=OuterRef("pk"))
    edits = Job.objects.filter(parent=OuterRef("pk"))
    return _delete_rows(workspace, jobs.filter(~Exists(results))) + _delete_rows(
        workspace, images.filter(~Exists(children), ~Exists(descendants), ~Exists(edits))
    )


@contextmanager
def _purging(workspace: Workspace) -> Iterator[None]:
    """A transaction that may delete the workspace's rows of the ledger and the audit log: migration 0026."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('editor.purged_workspace', %s, true)", [str(workspace.pk)])
        yield
