"""Who is an operator of the portal, and the rows that only operators can name.

Operators are active superusers; the admin at /admin/ lets them in too.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet

from editor.access import second_factor
from editor.errors import NotFound
from editor.models import Job, Plan, ProviderKey, User, Workspace

Row = TypeVar("Row", bound=Model)


def is_operator(user: User | AnonymousUser) -> bool:
    return isinstance(user, User) and user.is_active and user.is_staff and user.is_superuser


def require(user: User | AnonymousUser) -> User:
    """The operator. Raises NotFound for anybody else, and SecondFactorRequired."""
    if not isinstance(user, User) or not is_operator(user):
        raise NotFound("There is no such page.")
    second_factor.require_of_staff(user)
    return user


def workspace(pk: UUID) -> Workspace:
    """Any workspace, also a deleted one."""
    return _get(Workspace.objects.select_related("plan", "credit_account"), pk, "workspace")


def workspace_at(slug: str) -> Workspace:
    """The workspace with that address."""
    found = Workspace.objects.select_related("plan").filter(slug=slug, deleted_at=None).first()
    if found is None:
        raise NotFound("There is no workspace with this address.")
    return found


def plan(pk: int) -> Plan:
    return _get(Plan.objects.all(), pk, "plan")


def person(pk: UUID) -> User:
    """A person; accounts of API keys are none."""
    return _get(User.objects.filter(is_service_account=False), pk, "person")


def provider_key(provider: str) -> ProviderKey:
    """The portal's own key at that provider."""
    found = ProviderKey.objects.filter(workspace=None, provider=provider).first()
    if found is None:
        raise NotFound("The portal has no stored key for this provider.")
    return found


def job(pk: UUID) -> Job:
    return _get(Job.objects.select_related("workspace", "created_by"), pk, "edit")


def _get(rows: QuerySet[Row], pk: object, what: str) -> Row:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found
