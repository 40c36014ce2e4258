"""Uploads by programs: announced, sent to a link, and checked on first use.

From then on, an upload is the image of the same id. Until then its bytes are never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from editor import disk
from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_storage_thread, in_thread
from editor.errors import Conflict, InvalidInput, LimitExceeded, NotFound, PermissionDenied
from editor.media import incoming, links, store
from editor.media.codec import CleanImage
from editor.media.formats import LABELS, usual_type
from editor.media.limits import MAX_BYTES, BadImage
from editor.models import Image, Upload
from editor.operations import images, orphans, storage
from editor.operations.images import Stored

LINK_SECONDS = 3600
MAXIMUM_UNUSED = 1000  # per workspace: announced or sent, but not used yet
KEPT = timedelta(days=1)  # after the link's expiry
CHECKED_AT_ONCE = 4  # per process: each holds its file in memory

_LONGEST_NAME = 255
_LARGEST_SIZE = 2**63 - 1  # the limit of the column
_BATCH = 100  # uploads per call
_check_slots = PerLoop(lambda: FairSemaphore(CHECKED_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a program needs to send a file and to use it.

    image_id    the image's id, once the file was sent and used
    upload_url  accepts the file by PUT, with exactly the declared content type
    public_url  shows the image from its first use on
    expires_in  seconds until `upload_url` expires
    """

    image_id: UUID
    upload_url: str
    public_url: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Permit:
    """What an upload link of the portal itself allows."""

    upload_id: UUID
    content_type: str


@transaction.atomic
def create(*, actor: Actor, file_name: str, content_type: str, base: str, size: int | None = None) -> Ticket:
    """Announce a file.

    base  the portal's own address, scheme and host, for links to it
    size  bytes to reserve; by default the size of the largest accepted file

    Raises PermissionDenied, InvalidInput, LimitExceeded, StorageFull or DiskFull.
    """
    actor.require(Permission.EDIT)
    if not 1 <= len(file_name) <= _LONGEST_NAME:
        raise InvalidInput(f"The file name must have 1 to {_LONGEST_NAME} characters.")
    if usual_type(content_type) not in LABELS:
        raise InvalidInput(f"The file type must be one of {', '.join(LABELS)}.")
    if size is not None and not 0 <= size <= _LARGEST_SIZE:
        raise InvalidInput("The file size must be a number of bytes.")
    now = timezone.now()
    disk.check()
    # One at a time, or concurrent calls would exceed the limits together.
    account = storage.lock(workspace_id=actor.workspace.pk)
    unused = Upload.objects.filter(workspace=actor.workspace, checked_at=None)
    if unused.filter(Q(expires_at__gt=now) | Q(received_at__isnull=False)).count() >= MAXIMUM_UNUSED:
        raise LimitExceeded(
            f"The workspace has {MAXIMUM_UNUSED:,} unused uploads. Use them, or wait until they expire."
        )
    storage.check_room(account=account, size=MAX_BYTES if size is None else min(size, MAX_BYTES))
    upload = Upload.objects.create(
        workspace=actor.workspace,
        created_by=actor.user,
        file_name=images.file_name(file_name),
        content_type=usual_type(content_type),
        declared_size=size,
        storage_name=incoming.new_name(actor.workspace.pk),
        expires_at=now + timedelta(seconds=LINK_SECONDS),
    )
    return Ticket(
        image_id=upload.id,
        upload_url=incoming.put_url(upload.storage_name, content_type, LINK_SECONDS)
        or f"{base}/uploads/{token(upload)}",
        public_url=f"{base}{links.sign_lasting(upload.id)}",
        expires_in=LINK_SECONDS,
    )


def token(upload: Upload) -> str:
    """The last part of the portal's own upload link."""
    return _signer().sign_object([upload.id.hex, upload.content_type, int(upload.expires_at.timestamp())])


def read_token(text: str) -> Permit:
    """What the link allows. Raises PermissionDenied if it is forged or has expired."""
    try:
        upload_id, content_type, expires_at = _signer().unsign_object(text)
    except (signing.BadSignature, UnicodeEncodeError) as error:
        raise PermissionDenied("This upload link is invalid.") from error
    if timezone.now() >= datetime.fromtimestamp(expires_at, UTC):
        raise PermissionDenied("This upload link has expired. Request a new one.")
    return Permit(upload_id=UUID(upload_id), content_type=content_type)


def expect(*, permit: Permit) -> UUID:
    """The workspace whose file is about to be received.

    Raises Conflict if the link has received its file, PermissionDenied if the upload is gone, DiskFull.
    """
    disk.check()
    return _still_open(_uploads().filter(pk=permit.upload_id).first()).workspace_id


@transaction.atomic
def receive(*, permit: Permit, content: bytes) -> None:
    """Store the received file, unchecked. Raises as `expect` does, and StorageFull if it is too large."""
    row = _uploads().select_for_update(of=("self",), no_key=True).filter(pk=permit.upload_id).first()
    upload = _still_open(row)
    store.delete(upload.storage_name)  # a crash may have left a partial file
    with disk.explained():
        store.save(upload.storage_name, content, upload.content_type)
    try:
        upload.received_at, upload.received_size = timezone.now(), len(content)
        upload.save(update_fields=["received_at", "received_size"])
        # It may be larger than announced.
        storage.check_room(account=storage.lock(workspace_id=upload.workspace_id), size=0)
    except Exception:
        store.delete(upload.storage_name)
        raise


async def claim(*, actor: Actor, image_ids: Sequence[str | UUID]) -> None:
    """Turn those of the ids that are still uploads into images. The others are left to `lookups.images`.

    Raises InvalidInput if a file has not been sent yet, NotFound if its link expired before that,
    BadImage, on every call, for a file that is not accepted, StorageFull and DiskFull.
    """
    actor.require(Permission.EDIT)
    for upload in await in_thread(lookups.uploads, actor, image_ids):
        async with _check_slots.get().slot(str(upload.workspace_id)):
            await _check(upload)


def purge() -> int:
    """Delete uploads and their files a day after their links expired; returns how many.

    Used ones too: a bucket may accept another file at the link after the first use.
    """
    due = Upload.objects.filter(expires_at__lt=timezone.now() - KEPT)
    count = 0
    for pk, name in due.order_by("expires_at").values_list("pk", "storage_name")[:_BATCH]:
        deleted, _ = due.filter(pk=pk).delete()
        if not deleted:
            continue  # another process was quicker
        count += 1
        if not orphans.try_to_delete(store.delete, name):
            break  # the storage is failing: the other uploads wait for the next run
    return count


async def _check(upload: Upload) -> None:
    """Turn the file into an image. Several checks may run at once; the first to finish wins."""
    if await in_thread(_is_image, upload):
        return
    try:
        content = await in_storage_thread(incoming.read, upload.storage_name)
        clean = await store.aclean(content, tenant=str(upload.workspace_id))
    except NotFound:
        if await in_thread(_is_image, upload):
            return  # another process was quicker
        raise _not_sent(upload) from None
    except BadImage as error:
        await in_storage_thread(_refuse, upload, error.message)
        raise
    # In one call, so that a caller who disconnects now leaves no files without a row.
    await in_storage_thread(_become_image, upload, clean)


def _is_image(upload: Upload) -> bool:
    """Whether it has become an image. Raises BadImage if it was refused, NotFound if it is gone."""
    row = Upload.objects.filter(pk=upload.pk).first()
    if row is None:
        raise NotFound("This upload has expired. Request a new one.")
    if row.refusal:
        raise BadImage(row.refusal)
    return row.checked_at is not None


def _become_image(upload: Upload, clean: CleanImage) -> None:
    """Store the checked copy and delete the original file."""
    disk.check()
    image = images.save_with_row(
        workspace_id=upload.workspace_id,
        clean=clean,
        name=upload.file_name,
        insert=partial(_create_image, upload),
        image_id=upload.id,
    )
    if image:
        orphans.try_to_delete(store.delete, upload.storage_name)


@transaction.atomic
def _create_image(upload: Upload, stored: Stored) -> Image | None:
    """The row of the image; None if another check was quicker."""
    if not _mark_checked(upload):
        return None
    return images.create(
        stored=stored,
        workspace_id=upload.workspace_id,
        created_by_id=upload.created_by_id,
    )


def _refuse(upload: Upload, reason: str) -> None:
    if _mark_checked(upload, refusal=reason):
        orphans.try_to_delete(store.delete, upload.storage_name)


def _mark_checked(upload: Upload, *, refusal: str = "") -> bool:
    """Whether this was the first check to finish. The row stays locked until the transaction ends."""
    unchecked = Upload.objects.filter(pk=upload.pk, checked_at=None)
    return unchecked.update(checked_at=timezone.now(), refusal=refusal) == 1


def _not_sent(upload: Upload) -> InvalidInput | NotFound:
    if upload.expires_at <= timezone.now():
        return NotFound(
            "The upload link of this image expired before the file was uploaded. Request a new one."
        )
    return InvalidInput("The file of this image has not been uploaded yet. PUT it to its upload_url first.")


def _uploads() -> QuerySet[Upload]:
    """Those whose workspace was not deleted."""
    return Upload.objects.filter(workspace__deleted_at=None)


def _still_open(upload: Upload | None) -> Upload:
    if upload is None:
        raise PermissionDenied("This upload link is no longer valid. Request a new one.")
    if upload.received_at:
        raise Conflict("This upload link has already received its file. Request a new one.")
    return upload


def _signer() -> signing.Signer:
    return signing.Signer(salt="editor.operations.uploads", sep=".")
