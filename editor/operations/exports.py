"""Records downloads of many rows or files at once; the web package streams them."""

from __future__ import annotations

from collections.abc import Mapping

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import User
from editor.operations import audit


def images_zip(*, actor: Actor, count: int) -> None:
    """Record that the member downloads a zip file of so many images. Raises PermissionDenied."""
    actor.require(Permission.VIEW)
    audit.record(workspace=actor.workspace, actor=actor, action="images.exported", data={"images": count})


def audit_log(*, actor: Actor, filter: Mapping[str, str]) -> None:
    """Record that the member downloads the entries that match the filter. Raises PermissionDenied."""
    actor.require(Permission.AUDIT_VIEW)
    audit.record(workspace=actor.workspace, actor=actor, action="audit.exported", data={"filter": filter})


def ledger(*, actor: Actor, filter: Mapping[str, str]) -> None:
    """Record that the member downloads the entries that match the filter. Raises PermissionDenied."""
    actor.require(Permission.VIEW)
    audit.record(workspace=actor.workspace, actor=actor, action="credits.exported", data={"filter": filter})


def whole_audit_log(*, actor: User, filter: Mapping[str, str]) -> None:
    """The same for an operator, over all workspaces."""
    audit.record(workspace=None, actor=actor, action="audit.exported", data={"filter": filter})
