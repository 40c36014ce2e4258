"""What owners and admins set for their workspace: its name, picture and defaults."""

from __future__ import annotations

import uuid
import zoneinfo
from functools import cache
from typing import Any

from django.db import transaction

from editor import catalog, disk, events
from editor.access import second_factor
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.errors import Conflict, InvalidInput
from editor.media import store
from editor.models import Sharing, Workspace
from editor.operations import audit, caps, orphans

LONGEST_NAME = 120  # characters
LONGEST_KEPT = 365  # days in the trash
PICTURE = 160  # pixels of its longer side
_REGIONS = {
    *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
}


def rename(*, actor: Actor, name: str) -> None:
    """Raises PermissionDenied, and InvalidInput for an empty or too long name."""
    actor.require(Permission.WORKSPACE_MANAGE)
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise _wrong("name", f"Enter a workspace name of 1 to {LONGEST_NAME} characters.")
    _change(actor, "workspace.renamed", name=name)


def set_defaults(*, actor: Actor, default_model: str, trash_days: int, public_sharing: str) -> None:
    """Set what holds for everyone in the workspace.

    default_model   a tier or model for edits that name none; "": the catalogue's default
    trash_days      days that images stay in the trash, 1 to LONGEST_KEPT; also for those already there
    public_sharing  one of Sharing; with NOBODY no link works

    Raises PermissionDenied and InvalidInput.
    """
    actor.require(Permission.WORKSPACE_MANAGE)
    entries = catalog.catalog()
    if default_model and default_model not in {*entries.tiers, *entries.models}:
        raise _wrong("default_model", "There is no such model.")
    if not 1 <= trash_days <= LONGEST_KEPT:
        raise _wrong("trash_days", f"Enter a number of days from 1 to {LONGEST_KEPT}.")
    if public_sharing not in Sharing.values:
        raise _wrong("public_sharing", "Choose who may share images.")
    _change(
        actor,
        "workspace.defaults_changed",
        default_model=default_model,
        trash_days=trash_days,
        public_sharing=public_sharing,
    )


def set_limits(
    *,
    actor: Actor,
    monthly_limit: int | None,
    daily_limit: int | None,
    approval_threshold: int | None,
    time_zone: str,
) -> None:
    """Set what everybody together can spend, in credits; None: no limit.

    approval_threshold  editors need an approval for an edit that costs more; None: for none
    time_zone           an IANA name: days and months of all limits begin at its midnight

    Raises PermissionDenied and InvalidInput.
    """
    actor.require(Permission.WORKSPACE_MANAGE)
    if time_zone not in time_zones():
        raise _wrong("time_zone", "Choose a time zone from the list.")
    _change(
        actor,
        "workspace.limits_changed",
        monthly_limit=caps.checked(monthly_limit, field="monthly_limit"),
        daily_limit=caps.checked(daily_limit, field="daily_limit"),
        approval_threshold=caps.checked(approval_threshold, field="approval_threshold"),
        time_zone=time_zone,
    )
    events.publish(events.AccessChanged(workspace_id=actor.workspace.pk))


@cache
def time_zones() -> list[str]:
    """The IANA names of places, and UTC."""
    return ["UTC", *sorted(name for name in zoneinfo.available_timezones() if _is_place(name))]


def _is_place(name: str) -> bool:
    """Names such as “Europe/Berlin”, without links such as “US/Eastern” and offsets such as “Etc/GMT+3”."""
    return name.split("/", maxsplit=1)[0] in _REGIONS


def require_second_factor(*, actor: Actor, required: bool) -> None:
    """Whether members need a second factor. Pages and calls of those without one end at once.

    Raises PermissionDenied, and Conflict for an owner who has none: they would lock themselves out.
    """
    actor.require(Permission.WORKSPACE_OWN)
    if required and not second_factor.exists(actor.user):
        raise Conflict("Set up a second factor of your own first, on your account page.")
    _change(actor, "workspace.second_factor_changed", second_factor_required=required)
    events.publish(events.AccessChanged(workspace_id=actor.workspace.pk))


def send_usage_mail(*, actor: Actor, send: bool) -> None:
    """Whether owners get a report of each month by mail. Raises PermissionDenied."""
    actor.require(Permission.WORKSPACE_MANAGE)
    _change(actor, "workspace.usage_mail_changed", usage_mail=send)


def record_export(*, actor: Actor) -> None:
    """Record that the member downloads all images. Raises PermissionDenied."""
    actor.require(Permission.WORKSPACE_OWN)
    audit.record(
        workspace=actor.workspace, actor=actor, action="workspace.exported", target=actor.workspace.name
    )


def set_picture(*, actor: Actor, content: bytes) -> None:
    """Store a picture from a person's file, re-encoded and made small.

    Raises PermissionDenied, BadImage and DiskFull.
    """
    actor.require(Permission.WORKSPACE_MANAGE)
    disk.check()
    threads.release()
    clean = store.clean(content, tenant=str(actor.workspace.pk))
    name = store.new_name(actor.workspace.pk, uuid.uuid4(), "webp")
    with disk.explained():
        store.save(name, clean.thumbnails[PICTURE], "image/webp")
    try:
        _set_picture(actor, name)
    except BaseException:
        orphans.try_to_delete(store.delete, name)
        raise


def remove_picture(*, actor: Actor) -> None:
    """Idempotent. Raises PermissionDenied."""
    actor.require(Permission.WORKSPACE_MANAGE)
    _set_picture(actor, "")


def _set_picture(actor: Actor, name: str) -> None:
    with transaction.atomic():
        row = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
        before, row.picture_name = row.picture_name, name
        row.save(update_fields=["picture_name"])
        if name or before:
            action = "workspace.picture_changed" if name else "workspace.picture_removed"
            audit.record(workspace=row, actor=actor, action=action, target=row.name)
    actor.workspace.picture_name = name
    if before:
        orphans.try_to_delete(store.delete, before)


@transaction.atomic
def _change(actor: Actor, action: str, **values: Any) -> None:
    """Store and record those of the values that differ."""
    row = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    if not before:
        return
    for name in before:
        setattr(row, name, values[name])
        setattr(actor.workspace, name, values[name])
    row.save(update_fields=list(before))
    after = {name: values[name] for name in before}
    audit.record(workspace=row, actor=actor, action=action, target=row.name, before=before, after=after)


def _wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={field: problem})
