"""Reading and writing the storage, and checking images in a child process."""

from __future__ import annotations

import os
import re
import resource
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editor.concurrency import processes
from editor.errors import NotFound
from editor.media import codec, store
from editor.media.codec import CleanImage
from editor.media.limits import BadImage
from tests.media.pictures import decode, encode, photo

WORKSPACE = uuid.UUID("11111111-2222-4333-8444-555555555555")
IMAGE = uuid.UUID("ab111111-2222-4333-8444-666666666666")


def new_name() -> str:
    return store.new_name(WORKSPACE, IMAGE, "png")


def never_ends(*_: object) -> None:
    while True:
        time.sleep(60)


def is_killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_saved_file_can_be_read_and_deleted() -> None:
    name = new_name()

    store.save(name, b"pixels", "image/png")
    assert store.read(name) == b"pixels"

    store.delete(name)
    with pytest.raises(NotFound):
        store.read(name)


def test_files_are_stored_in_the_configured_folder(tmp_path: Path) -> None:
    name = new_name()

    store.save(name, b"pixels", "image/png")

    assert (tmp_path / "media" / name).read_bytes() == b"pixels"


def test_deleting_a_missing_file_is_not_an_error() -> None:
    store.delete(new_name())


def test_a_file_is_never_overwritten_or_silently_renamed(tmp_path: Path) -> None:
    name = new_name()
    store.save(name, b"first", "image/png")

    with pytest.raises(FileExistsError):
        store.save(name, b"second", "image/png")

    assert store.read(name) == b"first"
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


@contextmanager
def no_file_longer_than(limit: int) -> Iterator[None]:
    """For this process, the disk is full after `limit` bytes of each file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_failed_write_leaves_no_partial_file(tmp_path: Path) -> None:
    with no_file_longer_than(1000), pytest.raises(OSError, match="too large"):
        store.save(new_name(), bytes(5000), "image/png")

    assert files(tmp_path / "media") == []


def test_a_failed_thumbnail_leaves_no_files_of_its_image(tmp_path: Path) -> None:
    image = CleanImage(bytes(500), "image/png", 96, 64, {160: bytes(500), 512: bytes(5000)})

    with no_file_longer_than(1000), pytest.raises(OSError, match="too large"):
        store.save_image(new_name(), image)

    assert files(tmp_path / "media") == []


def test_the_storage_is_listed_in_batches() -> None:
    names = sorted(store.new_name(uuid.uuid4(), uuid.uuid4(), "png") for _ in range(7))
    for name in names:
        store.save(name, b"pixels", "image/png")

    listed: list[str] = []
    while part := store.listed(after=listed[-1] if listed else "", most=3):
        assert len(part) <= 3
        listed += [file.name for file in part]

    assert listed == names


def test_a_file_is_its_image_or_a_thumbnail_of_it() -> None:
    name = new_name()

    for file in (name, *(store.thumbnail_name(name, width) for width in store.THUMBNAILS)):
        assert name in store.names_of(file)


def test_names_cannot_be_guessed_and_are_separate_for_each_workspace() -> None:
    names = {new_name() for _ in range(50)}

    assert len(names) == 50
    pattern = rf"w/{WORKSPACE}/ab/{IMAGE}-[0-9a-f]{{32}}\.png"
    assert all(re.fullmatch(pattern, name) for name in names)


def test_thumbnails_are_stored_beside_their_image() -> None:
    assert store.thumbnail_name("w/x/ab/id-token.jpeg", 160) == "w/x/ab/id-token.160.webp"
    assert len({store.thumbnail_name(new_name(), width) for width in store.THUMBNAILS}) == 3


def test_an_image_is_cleaned_in_a_child_process() -> None:
    content = encode(photo(), "JPEG")

    assert store.clean(content, tenant="t") == codec.sanitise(content)


async def test_a_result_is_verified_in_a_child_process_without_blocking_the_loop() -> None:
    content = encode(photo(), "WEBP")

    assert await store.verify(content, tenant="t") == codec.verify(content)


def test_a_mask_is_cleaned_in_a_child_process() -> None:
    content = encode(Image.new("L", (30, 20), 255), "PNG")

    assert decode(store.clean_mask(content, 60, 40, tenant="t")).getcolors() == [(2400, 255)]


async def test_large_images_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their size is only known in the child process, so that is where it is looked up first."""
    alone: list[bool] = []
    run_sync, run = processes.run_sync, processes.run

    def watched(*args: Any, **options: Any) -> Any:
        alone.append(options.get("alone", False))
        return run_sync(*args, **options)

    async def awatched(*args: Any, **options: Any) -> Any:
        alone.append(options.get("alone", False))
        return await run(*args, **options)

    monkeypatch.setattr(processes, "run_sync", watched)
    monkeypatch.setattr(processes, "run", awatched)
    store.clean(encode(photo(), "JPEG"), tenant="t")
    assert alone == [False]
    large = encode(Image.new("RGB", (5200, 5000)), "JPEG") + bytes(200_000)
    for clean in (store.clean(large, tenant="t"), await store.aclean(large, tenant="t")):
        assert clean.original_size == (5200, 5000)
    assert (await store.verify(large, tenant="t")).width == 5200
    assert alone == [False, *[False, True] * 3]


async def test_the_message_of_a_refusal_is_passed_from_the_child_process() -> None:
    damaged = encode(photo(), "PNG")[:200]

    for refused in (
        lambda: store.clean(damaged, tenant="t"),
        lambda: store.clean_mask(damaged, 60, 40, tenant="t"),
    ):
        with pytest.raises(BadImage, match="This PNG image is damaged or incomplete"):
            refused()
    with pytest.raises(BadImage, match="This PNG image is damaged or incomplete"):
        await store.verify(damaged, tenant="t")


def test_obviously_invalid_files_start_no_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "sanitise", never_ends)

    with pytest.raises(BadImage, match="TIFF"):
        store.clean(b"II*\x00", tenant="t")


@pytest.mark.parametrize(
    ("work", "limit", "message"), [(never_ends, 0.3, "too long"), (is_killed, 60, "safely")]
)
async def test_a_stopped_child_process_means_a_bad_image(
    monkeypatch: pytest.MonkeyPatch, work: Callable[..., None], limit: float, message: str
) -> None:
    content = encode(photo(), "PNG")
    monkeypatch.setattr(codec, "sanitise", work)
    monkeypatch.setattr(codec, "sanitise_mask", work)
    monkeypatch.setattr(codec, "verify", work)
    monkeypatch.setattr(store, "_TIMEOUT", limit)

    with pytest.raises(BadImage, match=message) as refusal:
        store.clean(content, tenant="t")
    assert isinstance(refusal.value.__cause__, processes.TimedOut | processes.Crashed)
    with pytest.raises(BadImage, match=message):
        await store.verify(content, tenant="t")
    with pytest.raises(BadImage, match=message):
        store.clean_mask(content, 60, 40, tenant="t")
