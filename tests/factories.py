"""Rows for tests, created by the portal's operations where there is one."""

from __future__ import annotations

import io
from typing import Any

import factory
from PIL import Image as Picture

from editor.access import accounts
from editor.access.actor import Actor
from editor.models import Image, Membership, Plan, ProviderKey, Role, User, Workspace
from editor.operations import credits, images, workspaces

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.test")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = factory.django.Password(PASSWORD)


def make_workspace(*, owner: User | None = None, name: str = "Acme Studio", balance: int = 100) -> Workspace:
    Plan.objects.get_or_create(is_default=True, defaults={"name": "Standard"})  # emptied with other tables
    workspace = workspaces.create(name=name, owner=owner or UserFactory.create())
    if balance:
        credits.grant(workspace=workspace, amount=balance, actor=None)
    return workspace


def make_member(workspace: Workspace, *, role: Role = Role.EDITOR, **fields: Any) -> User:
    user = UserFactory.create()
    Membership.objects.create(workspace=workspace, user=user, role=role, **fields)
    return user


def make_actor(workspace: Workspace | None = None, *, user: User | None = None, **fields: Any) -> Actor:
    """A member as an actor; without arguments the owner of a new workspace."""
    workspace = workspace or make_workspace(**fields)
    user = user or workspace.memberships.get(role=Role.OWNER).user
    membership = Membership.objects.select_related("workspace__plan").get(workspace=workspace, user=user)
    return Actor(user=user, workspace=membership.workspace, membership=membership)


def limit_storage(workspace: Workspace, *, to: int | None) -> None:
    """Give the workspace its own plan with `to` bytes of storage; None: unlimited."""
    workspace.plan = Plan.objects.create(name=f"Own {workspace.slug}", storage_bytes=to)
    workspace.save(update_fields=["plan"])


def limit_jobs(workspace: Workspace, *, concurrent_jobs: int) -> None:
    workspace.plan = Plan.objects.create(name=f"Own {workspace.slug}", concurrent_jobs=concurrent_jobs)
    workspace.save(update_fields=["plan"])


def photo(*, width: int = 96, height: int = 64, colour: str = "red", format: str = "PNG") -> bytes:
    """A small image file: one colour with a dark corner, so that its orientation is visible."""
    picture = Picture.new("RGB", (width, height), colour)
    picture.paste("black", (0, 0, width // 4, height // 4))
    file = io.BytesIO()
    picture.save(file, format)
    return file.getvalue()


def make_image(actor: Actor, **fields: Any) -> Image:
    return images.upload(actor=actor, content=photo(**fields), name="photo.png")


def make_provider_key(
    *, workspace: Workspace | None, provider: str, key: str = "test-key", secret: str = "", **fields: Any
) -> ProviderKey:
    """A stored key: the portal's own if there is no workspace."""
    row = ProviderKey(workspace=workspace, provider=provider, last_four=key[-4:], **fields)
    row.secret = accounts.sealed(row, key=key, secret=secret)
    row.save()
    return row
