"""Workspaces as a whole: what they contain, and which of them a person has."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from editor.access import accounts
from editor.access.permissions import Permission, having
from editor.models import (
    LIVE,
    ApiKey,
    CreditAccount,
    Image,
    Job,
    Membership,
    ProviderKey,
    ShareLink,
    User,
    Workspace,
)
from editor.models.workspaces import RESTORABLE
from editor.queries import members


@dataclass(frozen=True, slots=True)
class Contents:
    """How much of each there is. `links`: those that still work; `credits`: balance and held together."""

    images: int
    edits: int
    running: int
    members: int
    api_keys: int
    provider_keys: int
    links: int
    credits: int


def contents(workspace: Workspace) -> Contents:
    jobs = Job.objects.filter(workspace=workspace)
    links = ShareLink.objects.filter(image__workspace=workspace, revoked_at=None)
    account = CreditAccount.objects.get(workspace=workspace)
    return Contents(
        images=Image.objects.filter(workspace=workspace, purged_at=None)
        .exclude(kind=Image.Kind.MASK)
        .count(),
        edits=jobs.count(),
        running=jobs.filter(status__in=LIVE).count(),
        members=members.people(workspace).count(),
        api_keys=ApiKey.objects.filter(workspace=workspace, revoked_at=None).count(),
        provider_keys=ProviderKey.objects.filter(workspace=workspace).count(),
        links=links.filter(expires_at__gt=timezone.now()).count(),
        credits=account.balance + account.held,
    )


def memberships(user: User) -> list[Membership]:
    """The person's memberships in the order of joining, with the number of members as `people`."""
    counted = (
        Membership.objects.filter(workspace=OuterRef("workspace"), user__is_service_account=False)
        .order_by()
        .values("workspace")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = Membership.objects.filter(user=user, workspace__deleted_at=None).select_related("workspace")
    return list(rows.annotate(people=Coalesce(Subquery(counted), 0)).order_by("pk"))


def owned(user: User) -> list[Workspace]:
    """The workspaces that the person owns, by name."""
    rows = Membership.objects.filter(having(Permission.WORKSPACE_OWN), user=user, workspace__deleted_at=None)
    return [row.workspace for row in rows.select_related("workspace").order_by("workspace__name", "pk")]


def restorable(user: User) -> list[Workspace]:
    """The deleted workspaces that the person can restore, last deleted first."""
    own = Membership.objects.filter(having(Permission.WORKSPACE_OWN), user=user)
    owned = Workspace.objects.filter(pk__in=own.values("workspace"))
    since = timezone.now() - RESTORABLE
    return list(owned.filter(deleted_at__gt=since).select_related("deleted_by").order_by("-deleted_at"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a workspace has been set up: can its edits run at a provider, has it members, and edits?"""

    provider: bool
    team: bool
    edit: bool

    @property
    def is_done(self) -> bool:
        return self.provider and self.team and self.edit


def progress(workspace: Workspace) -> Progress:
    set_up = accounts.available(workspace)
    return Progress(
        provider=bool(set_up.platform or set_up.own),
        team=members.people(workspace).count() > 1,
        edit=Job.objects.filter(workspace=workspace).exists(),
    )
