"""The page of a person's workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from editor.contexts.gallery import who
from editor.models import User
from editor.operations import workspaces as operation
from editor.queries import workspaces


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    name: str
    slug: str
    role: str
    people: int
    picture_version: str


@dataclass(frozen=True, slots=True)
class DeletedRow:
    name: str
    slug: str
    who: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    rows: list[WorkspaceRow]
    deleted: list[DeletedRow]
    may_create: bool


def workspaces_page(user: User) -> WorkspacesPage:
    return WorkspacesPage(
        rows=[
            WorkspaceRow(
                name=row.workspace.name,
                slug=row.workspace.slug,
                role=row.get_role_display(),
                people=row.people,  # type: ignore[attr-defined]
                picture_version=row.workspace.picture_version,
            )
            for row in workspaces.memberships(user)
        ],
        deleted=[
            DeletedRow(
                name=one.name,
                slug=one.slug,
                who=who(one.deleted_by),
                at=one.deleted_at,
                until=one.restorable_until,
            )
            for one in workspaces.restorable(user)
            if one.deleted_at and one.restorable_until
        ],
        may_create=operation.may_create(user),
    )
