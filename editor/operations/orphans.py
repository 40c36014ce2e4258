"""Files that no row refers to: left by a crash between writing a file and its row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from editor.media import store
from editor.models import Image, Upload, Workspace

log = logging.getLogger("editor.storage")

KEPT = timedelta(days=1)  # a file is written before its row
STEP = 1000  # files per step


def try_to_delete(delete: Callable[[str], None], name: str) -> bool:
    """Delete files that no row refers to, with a function of `store`; returns whether it succeeded.

    Files that cannot be deleted are left to the sweep. Call it after the commit: a bucket may be slow.
    """
    try:
        delete(name)
    except Exception:
        log.warning("%s could not be deleted and is left to the sweep", name, exc_info=True)
        return False
    return True


class Sweep:
    """Goes through the storage step by step, and starts over at the end."""

    def __init__(self) -> None:
        self._after = ""

    def step(self) -> int:
        """Delete the orphans among the next STEP files, and return how many there were.

        Files of workspaces that are not in this database are left: they may be another portal's.
        """
        files = store.listed(after=self._after, most=STEP)
        self._after = files[-1].name if len(files) == STEP else ""
        limit = timezone.now() - KEPT
        old = _of_known_workspaces(file.name for file in files if file.modified < limit)
        named = _named(old)
        orphans = [name for name in old if store.image_stem(name) not in named]
        for name in orphans:
            store.delete(name)
        if orphans:
            log.warning("%s files that no row named were deleted, among them %s", len(orphans), orphans[0])
        return len(orphans)


def _of_known_workspaces(names: Iterable[str]) -> list[str]:
    owners = {name: owner for name in names if (owner := _owner(name))}
    known = set(Workspace.objects.filter(pk__in=set(owners.values())).values_list("pk", flat=True))
    return [name for name, owner in owners.items() if owner in known]


def _owner(name: str) -> UUID | None:
    """The workspace in a file name made by `store` or `incoming`; None for any other name."""
    kind, _, rest = name.partition("/")
    try:
        return UUID(rest.partition("/")[0]) if kind in ("w", "incoming") else None
    except ValueError:
        return None


def _named(files: Iterable[str]) -> set[str]:
    """The stems of the files that a row refers to."""
    names = {name for file in files for name in store.names_of(file)}
    rows = [
        *Image.objects.filter(storage_name__in=names, purged_at=None).values_list("storage_name", flat=True),
        *Upload.objects.filter(storage_name__in=names).values_list("storage_name", flat=True),
        *Workspace.objects.filter(picture_name__in=names).values_list("picture_name", flat=True),
    ]
    return {store.image_stem(name) for name in rows}
