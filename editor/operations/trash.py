"""The trash: images leave every list at once; their files are deleted weeks later, or when it is emptied.

A character keeps its images: it still uses those in the trash, and their files stay.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Value
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict
from editor.media import store
from editor.models import LIVE, CharacterImage, Image, Job, JobImage, Status, Workspace
from editor.operations import audit, orphans

log = logging.getLogger("editor.trash")

EMPTIED_AT_ONCE = 1000  # images
_BATCH = 200  # images per call


@transaction.atomic
def discard(*, actor: Actor, images: Sequence[Image]) -> None:
    """Move images of the workspace to the trash, where they stay for the workspace's `trash_days`.

    Running edits of them continue. Raises PermissionDenied.
    """
    actor.require(Permission.EDIT)
    count = _of(actor, images, trashed=False).update(trashed_at=timezone.now(), trashed_by=actor.user)
    _record(actor, "images.trashed", count)


@transaction.atomic
def restore(*, actor: Actor, images: Sequence[Image]) -> None:
    """Restore images from the trash, unless their files were deleted. Raises PermissionDenied."""
    actor.require(Permission.EDIT)
    count = _of(actor, images, trashed=True).update(trashed_at=None, trashed_by=None)
    _record(actor, "images.restored", count)


@transaction.atomic
def discard_files(*, actor: Actor, job: Job) -> None:
    """Move an edit's results to the trash, and the inputs that no other edit uses.

    Idempotent. Raises PermissionDenied, and Conflict while the edit is running.
    """
    actor.require(Permission.EDIT)
    if not job.has_ended:
        raise Conflict("This edit is still waiting or running. Wait for it to finish, or cancel it.")
    others = JobImage.objects.exclude(job=job).values("image")
    roles = (JobImage.Role.SOURCE, JobImage.Role.REFERENCE)
    given = Image.objects.filter(
        job_images__job=job, job_images__role__in=roles, kind=Image.Kind.SOURCE, from_sample=False
    ).exclude(pk__in=others)
    discard(actor=actor, images=[*job.results.all(), *given])


def empty(*, actor: Actor) -> int:
    """Permanently delete the files in the workspace's trash; returns how many images.

    Inputs of edits that wait or run stay until these have ended, and images that a character uses stay.
    Deletes at most EMPTIED_AT_ONCE images per call. Raises PermissionDenied.
    """
    actor.require(Permission.EDIT)
    busy = JobImage.objects.filter(job__workspace=actor.workspace, job__status__in=LIVE)
    trashed = Image.objects.filter(workspace=actor.workspace, trashed_at__isnull=False, purged_at=None)
    count = _purge(trashed.exclude(pk__in=busy.values("image")), most=EMPTIED_AT_ONCE).total()
    _record(actor, "images.purged", count)
    return count


def purge() -> int:
    """Delete the files of images that were in the trash for their workspace's `trash_days`.

    Returns how many images.
    """
    kept = ExpressionWrapper(F("workspace__trash_days") * Value(timedelta(days=1)), DurationField())
    purged = _purge(Image.objects.filter(trashed_at__lt=timezone.now() - kept, purged_at=None), most=_BATCH)
    for workspace in Workspace.objects.filter(pk__in=purged):
        data = {"images": purged[workspace.pk]}
        audit.record(workspace=workspace, actor=None, action="images.purged", data=data)
    return purged.total()


def _purge(due: QuerySet[Image], *, most: int) -> Counter[UUID]:
    """How many images were purged, by workspace. Those of edits that wait for an approval stay."""
    waiting = JobImage.objects.filter(image=OuterRef("pk"), job__status=Status.WAITING)
    due = due.exclude(pk__in=CharacterImage.objects.values("image")).exclude(Exists(waiting))
    purged: Counter[UUID] = Counter()
    for pk in due.order_by("trashed_at").values_list("pk", flat=True)[:most]:
        with transaction.atomic():
            # It may be restored, or purged by another process, at this very moment.
            image = due.select_for_update(of=("self",), skip_locked=True, no_key=True).filter(pk=pk).first()
            if image is None:
                continue
            image.purged_at = timezone.now()
            image.save(update_fields=["purged_at"])
        purged[image.workspace_id] += 1
        if not orphans.try_to_delete(store.delete_all, image.storage_name):
            break  # the storage is failing: the other images wait for the next run
    if purged:
        log.info("%s images left the trash for good", purged.total())
    return purged


def _of(actor: Actor, images: Sequence[Image], *, trashed: bool) -> QuerySet[Image]:
    return Image.objects.filter(
        workspace=actor.workspace,
        pk__in=[image.pk for image in images],
        trashed_at__isnull=not trashed,
        purged_at=None,
    )


def _record(actor: Actor, action: str, count: int) -> None:
    if count:
        audit.record(workspace=actor.workspace, actor=actor, action=action, data={"images": count})
