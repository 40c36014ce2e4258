"""The storage quota of a workspace, checked before files are added."""

from __future__ import annotations

from uuid import UUID

from django.template.defaultfilters import filesizeformat

from editor import disk
from editor.errors import StorageFull
from editor.models import StorageAccount, Workspace
from editor.queries import storage


def check(*, workspace: Workspace) -> None:
    """Raise StorageFull or DiskFull if nothing can be added. Called before a file is received."""
    disk.check()
    usage = storage.usage(workspace)
    if usage.allowed is not None and usage.is_full:
        raise StorageFull(_message(usage.used, usage.allowed, more=0))


def lock(*, workspace_id: UUID) -> StorageAccount:
    """The workspace's account, locked until the transaction ends."""
    accounts = StorageAccount.objects.select_related("workspace__plan").select_for_update(
        of=("self",), no_key=True
    )
    account = accounts.filter(workspace=workspace_id).first()
    if account is None:
        StorageAccount.objects.bulk_create([StorageAccount(workspace_id=workspace_id)], ignore_conflicts=True)
        account = accounts.get(workspace=workspace_id)
    return account


def check_room(*, account: StorageAccount, size: int) -> None:
    """Raise StorageFull unless there is room for `size` more bytes. `account` must be locked."""
    allowed = account.workspace.plan.storage_bytes
    if allowed is None:
        return
    used = account.stored + storage.reserved(account.workspace_id)
    if used + size > allowed:
        raise StorageFull(_message(used, allowed, more=size))


def _message(used: int, allowed: int, *, more: int) -> str:
    needed = f", and this needs {_size(more)} more" if more else ""
    return (
        f"The workspace's storage is full: {_size(used)} of {_size(allowed)} are used{needed}. Nothing was "
        "charged. Empty the trash to free space, or ask an operator for more."
    )


def _size(count: int) -> str:
    return filesizeformat(count).replace("\xa0", " ")
