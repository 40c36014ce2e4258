"""Reads and writes the file storage, a folder or an S3 bucket as the settings choose.

One stored image is several files: the image itself under its name, and one thumbnail for
each of THUMBNAILS under `thumbnail_name`. Names cannot be guessed, and are never shown:
users get signed links (see `links`). All functions that use a bucket raise StorageUnavailable while it does
not respond.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol, TypeVar

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from editor.concurrency import processes, threads
from editor.errors import NotFound
from editor.media import bucket, codec, encode, masks
from editor.media.codec import CleanImage
from editor.media.limits import BadImage

ORIGINAL = "full"  # the variant that is the image itself; the others are named after their width
THUMBNAILS = encode.THUMBNAILS

# Loaded once for all child processes: importing them in each would take longer than most images do.
processes.preload(
    masks.__name__, "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.ImageCms", "PIL.PpmImagePlugin"
)

STORED_TYPES = ("image/jpeg", "image/png", "image/webp")

_TIMEOUT = 60.0  # seconds; 25 megapixels take about three, 100 about seven

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the storage lists it."""

    name: str
    modified: datetime


def clean(content: bytes, *, tenant: str) -> CleanImage:
    """Check and re-encode an untrusted image in a child process. Blocks this thread.

    tenant  opaque key; child processes are shared fairly between tenants

    Raises BadImage.
    """
    codec.identify_upload(content)  # obvious errors need no child process
    with _failures_explained():
        return _run_sync(codec.sanitise, content, tenant=tenant)


async def aclean(content: bytes, *, tenant: str) -> CleanImage:
    """`clean`, without blocking the event loop. Raises BadImage."""
    codec.identify_upload(content)
    with _failures_explained():
        return await _run(codec.sanitise, content, tenant=tenant)


async def verify(content: bytes, *, tenant: str) -> CleanImage:
    """Check a provider's result in a child process, without blocking the event loop. Raises BadImage."""
    codec.identify_result(content)
    with _failures_explained(advice=""):
        return await _run(codec.verify, content, tenant=tenant)


def clean_mask(content: bytes, width: int, height: int, *, tenant: str) -> bytes:
    """A painted mask as a one-channel PNG of that size in pixels, white = change. Raises BadImage."""
    codec.identify_upload(content)
    with _failures_explained():
        return _run_sync(codec.sanitise_mask, content, width, height, tenant=tenant)


async def mask_from_transparency(content: bytes, *, tenant: str) -> bytes:
    """Convert a mask that is transparent where the image may change to white = change. Raises BadImage."""
    codec.identify_upload(content)
    with _failures_explained():
        return await _run(masks.from_transparency, content, tenant=tenant)


def _run_sync(function: Callable[..., T], content: bytes, *args: Any, tenant: str) -> T:
    """Call it in a child process. Large images take up to 2 GiB of memory: one of them at a time."""
    limits: dict[str, Any] = {"tenant": tenant, "timeout": _TIMEOUT}
    result = processes.run_sync(codec.unless_large, function, content, *args, **limits)
    return processes.run_sync(function, content, *args, **limits, alone=True) if result is None else result


async def _run(function: Callable[..., T], content: bytes, *args: Any, tenant: str) -> T:
    """The same, without blocking the event loop."""
    limits: dict[str, Any] = {"tenant": tenant, "timeout": _TIMEOUT}
    result = await processes.run(codec.unless_large, function, content, *args, **limits)
    return await processes.run(function, content, *args, **limits, alone=True) if result is None else result


@contextmanager
def _failures_explained(*, advice: str = " Make it smaller, or export it again.") -> Iterator[None]:
    """Raise BadImage if the child process crashed or had to be stopped."""
    try:
        yield
    except processes.TimedOut as error:
        raise BadImage(f"This image takes too long to open.{advice}") from error
    except processes.Crashed as error:
        raise BadImage(f"This image cannot be opened safely.{advice}") from error


def new_name(workspace_id: uuid.UUID, image_id: uuid.UUID, suffix: str) -> str:
    """A name that cannot be guessed, even by someone who knows both ids. `suffix` is e.g. "png"."""
    # The two digits keep the folders of large workspaces small.
    return f"w/{workspace_id}/{image_id.hex[:2]}/{image_id}-{secrets.token_hex(16)}.{suffix}"


def thumbnail_name(name: str, width: int) -> str:
    """The name of the thumbnail of the image `name`; `width` is one of THUMBNAILS."""
    return str(PurePosixPath(name).with_suffix(f".{width}.webp"))


def storage() -> Any:
    """The file storage. Releases the database connection first if it is a bucket, which may be slow."""
    if settings.STORAGE_BUCKET:
        threads.release()
    return default_storage


@bucket.explained()
def save(name: str, content: bytes, content_type: str) -> None:
    """Write one file under a new name, completely or not at all.

    Raises FileExistsError if the name is taken, and OSError when the disk is full.
    """
    try:
        stored = storage().save(name, SimpleUploadedFile(name, content, content_type))
    except BaseException:
        delete(name)  # a partial file would keep a full disk full
        raise
    if stored != name:
        # The storage chose another name, under which nobody would find it.
        delete(stored)
        raise FileExistsError(name)


def save_image(name: str, clean: CleanImage) -> int:
    """Write an image and its thumbnails, or nothing; returns the size of the thumbnails in bytes.

    Raises as `save` does.
    """
    save(name, clean.content, clean.content_type)
    try:
        for width, thumbnail in clean.thumbnails.items():
            save(thumbnail_name(name, width), thumbnail, "image/webp")
    except BaseException:
        delete_all(name)
        raise
    return sum(map(len, clean.thumbnails.values()))


@bucket.explained()
def read(name: str) -> bytes:
    """The bytes of one file. Raises NotFound when it is gone."""
    try:
        with storage().open(name, "rb") as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise NotFound("The file of this image is missing.") from error
    return content


class Reader(Protocol):
    """An open file of the storage. Each call may block its thread."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


@bucket.explained()
def size(name: str) -> int:
    """Bytes of one file. Raises NotFound when it is gone."""
    try:
        length: int = storage().size(name)
    except FileNotFoundError as error:
        raise NotFound("The file of this image is missing.") from error
    return length


@bucket.explained()
def open_at(name: str, start: int) -> Reader:
    """Open the file at byte `start`, to be read in chunks. Raises NotFound when it is gone."""
    files = storage()
    if settings.STORAGE_BUCKET:
        # The storage's own file object would fetch the whole file first.
        client = files.connection.meta.client
        wanted = {"Range": f"bytes={start}-"} if start else {}
        try:
            reader: Reader = client.get_object(Bucket=files.bucket_name, Key=name, **wanted)["Body"]
        except client.exceptions.NoSuchKey as error:
            raise NotFound("The file of this image is missing.") from error
        return reader
    try:
        file: BinaryIO = files.open(name, "rb")
    except FileNotFoundError as error:
        raise NotFound("The file of this image is missing.") from error
    file.seek(start)
    return file


@bucket.explained()
def delete(name: str) -> None:
    """Remove one file, if it exists. Thumbnails are separate files."""
    storage().delete(name)


def delete_all(name: str) -> None:
    """Remove an image and its thumbnails, as far as they exist."""
    delete(name)
    for width in THUMBNAILS:
        delete(thumbnail_name(name, width))


def image_stem(name: str) -> str:
    """The common part of the names of one image's files: any of the names without its extensions."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


def names_of(name: str) -> list[str]:
    """The names that a row may have for the file: its own, or that of the image it is a thumbnail of."""
    stem = image_stem(name)
    return [name, *(f"{stem}.{content_type.removeprefix('image/')}" for content_type in STORED_TYPES)]


def listed(*, after: str, most: int) -> list[StoredFile]:
    """The next files of the storage after the name `after`, in a stable order."""
    if settings.STORAGE_BUCKET:
        return _listed_in_bucket(after, most)
    assert isinstance(default_storage, FileSystemStorage)
    root = Path(default_storage.location)
    return list(islice(_walk(root, root, tuple(after.split("/")) if after else ()), most))


@bucket.explained()
def _listed_in_bucket(after: str, most: int) -> list[StoredFile]:
    files = storage()
    response = files.connection.meta.client.list_objects_v2(
        Bucket=files.bucket_name, StartAfter=after, MaxKeys=most
    )
    return [StoredFile(item["Key"], item["LastModified"]) for item in response.get("Contents", ())]


def _walk(root: Path, folder: Path, after: tuple[str, ...]) -> Iterator[StoredFile]:
    """The files below `folder` whose path sorts after the parts `after`."""
    first = after[0] if after else ""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:  # nothing stored yet, or emptied in the meantime
        return
    for entry in entries:
        if entry.name < first:
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path, after[1:] if entry.name == first else ())
        elif entry.name > first or len(after) > 1:
            with suppress(FileNotFoundError):
                modified = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
                yield StoredFile(path.relative_to(root).as_posix(), modified)
