"""The only place where ids from clients are resolved to rows.

A row of another workspace raises NotFound, exactly like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from editor.access import permissions, second_factor, sessions
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import InvalidInput, NotAuthenticated, NotFound, WorkspaceDeleted, WorkspaceMoved
from editor.models import (
    ApiKey,
    Character,
    Image,
    Invitation,
    Job,
    Membership,
    ModelAlias,
    ProviderKey,
    Quote,
    ShareLink,
    Style,
    Upload,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)

Row = TypeVar("Row", bound=Model)

MAXIMUM_IMAGES = 16  # in one edit
MAXIMUM_SELECTED = 100  # in one list


def actor(
    user: User | AnonymousUser, slug: str, *, channel: str = "web", address: str | None = None
) -> Actor:
    """The member `user` in the workspace `slug`. `address`: their IP address.

    A service account is no member here: it acts only by its key (`credentials.actor_of`).

    Raises NotFound and SecondFactorRequired. Members learn more: WorkspaceMoved from a former address,
    WorkspaceDeleted.
    """
    membership = None
    if isinstance(user, User):
        # Check `is_active` in the database too: a socket's `user` may be hours old.
        membership = (
            Membership.objects.select_related("workspace__plan")
            .filter(user=user, user__is_active=True, user__is_service_account=False)
            .filter(workspace__slug=slug, workspace__deleted_at=None)
            .first()
        )
    if membership is None:
        raise _why_not(user, slug)
    assert isinstance(user, User)
    second_factor.require(membership)
    return Actor(
        user=user,
        workspace=membership.workspace,
        membership=membership,
        channel=channel,
        address=address,
    )


def check_again(actor: Actor, permission: Permission, *, session_key: str | None) -> None:
    """Raise unless the actor's session goes on and they still have the permission.

    For what is sent for a long time. Three queries. Raises NotAuthenticated, NotFound, PermissionDenied and
    SecondFactorRequired.
    """
    user = sessions.person(session_key)
    if user != actor.user:
        raise NotAuthenticated("You are signed out. Sign in again to continue.")
    rows = Membership.objects.select_related("workspace__plan", "user")
    membership = rows.filter(pk=actor.membership.pk, workspace__deleted_at=None).first()
    if membership is None:
        raise NotFound("This workspace does not exist, or you are not a member of it.")
    second_factor.require(membership)
    replace(actor, workspace=membership.workspace, membership=membership).require(permission)


def _why_not(user: User | AnonymousUser, slug: str) -> NotFound:
    """Why there is no such workspace for the user."""
    if isinstance(user, User):
        own = Membership.objects.select_related("workspace").filter(user=user, user__is_active=True)
        named = own.filter(Q(workspace__slug=slug) | Q(workspace__former_addresses__slug=slug)).first()
        if named and named.workspace.deleted_at:
            until = f"{named.workspace.restorable_until:%-d %B}"
            return WorkspaceDeleted(
                f"“{named.workspace}” was deleted. Until {until}, an owner of it can restore it on the page "
                "“Your workspaces”."
            )
        if named and named.workspace.slug != slug:
            return WorkspaceMoved(named.workspace.slug)
    return NotFound("This workspace does not exist, or you are not a member of it.")


def owner_of_deleted(user: User, slug: str) -> Actor:
    """The owner `user` of the deleted workspace `slug`, who can only restore it.

    Raises NotFound and SecondFactorRequired.
    """
    membership = (
        Membership.objects.select_related("workspace__plan")
        .filter(permissions.having(Permission.WORKSPACE_OWN), user=user, workspace__slug=slug)
        .exclude(workspace__deleted_at=None)
        .first()
    )
    if membership is None:
        raise NotFound("There is no deleted workspace of yours at this address.")
    second_factor.require(membership)
    return Actor(user=user, workspace=membership.workspace, membership=membership)


def _uuid(value: str | UUID, message: str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise NotFound(message) from None


def _one(rows: QuerySet[Row], row_id: str | UUID, message: str) -> Row:
    """The row with this id. Raises NotFound with `message`."""
    found = rows.filter(pk=_uuid(row_id, message)).first()
    if found is None:
        raise NotFound(message)
    return found


def image(actor: Actor, image_id: str | UUID) -> Image:
    """A source, reference or result of the workspace that is not in the trash."""
    return images(actor, [image_id])[0]


def images(actor: Actor, image_ids: Sequence[str | UUID], *, at_most: int = MAXIMUM_IMAGES) -> list[Image]:
    """Images of the workspace in the given order; NotFound if one is missing or in the trash."""
    if len(image_ids) > at_most:
        raise InvalidInput(f"At most {at_most} images at a time.")
    found = _images(actor, image_ids)
    if any(image.trashed_at for image in found):
        raise NotFound("This image is in the trash. Restore it there to use it again.")
    return found


def trashed_images(actor: Actor, image_ids: Sequence[str | UUID]) -> list[Image]:
    """Images of the workspace that are in the trash, or were a moment ago."""
    if len(image_ids) > MAXIMUM_SELECTED:
        raise InvalidInput(f"At most {MAXIMUM_SELECTED} images at a time.")
    found = _images(actor, image_ids)
    if any(image.purged_at for image in found):
        raise NotFound("This image was permanently deleted.")
    return found


def linked_image(image_id: UUID) -> Image:
    """The image of a signed link. The link alone grants access until the image is in the trash."""
    found = Image.objects.filter(id=image_id, trashed_at=None, workspace__deleted_at=None).first()
    if found is None:
        raise NotFound("This image does not exist or has been deleted.")
    return found


def uploads(actor: Actor, image_ids: Sequence[str | UUID]) -> list[Upload]:
    """Uploads of the workspace that are not images yet, in the order of the ids.

    Other ids are left out: `images` resolves those.
    """
    if len(image_ids) > MAXIMUM_IMAGES:
        raise InvalidInput(f"At most {MAXIMUM_IMAGES} images at a time.")
    wanted = [_uuid(value, "There is no such image in this workspace.") for value in image_ids]
    found = (
        Upload.objects.filter(workspace=actor.workspace, id__in=wanted)
        .exclude(checked_at__isnull=False, refusal="")
        .in_bulk()
    )
    return [found[value] for value in dict.fromkeys(wanted) if value in found]


def _images(actor: Actor, image_ids: Sequence[str | UUID]) -> list[Image]:
    message = "There is no such image in this workspace."
    wanted = [_uuid(value, message) for value in image_ids]
    found = (
        Image.objects.filter(workspace=actor.workspace, id__in=wanted).exclude(kind=Image.Kind.MASK).in_bulk()
    )
    if any(value not in found for value in wanted):
        raise NotFound(message)
    return [found[value] for value in wanted]


def job(actor: Actor, job_id: str | UUID) -> Job:
    rows = Job.objects.filter(workspace=actor.workspace)
    return _one(rows, job_id, "There is no such edit in this workspace.")


def linked_job(job_id: UUID) -> Job:
    """The job of a signed URL or a token, which alone grants access to its progress."""
    found = Job.objects.filter(id=job_id, workspace__deleted_at=None).first()
    if found is None:
        raise NotFound("This edit does not exist.")
    return found


def job_by_number(actor: Actor, number: str) -> Job:
    """The job with this number, by which API clients refer to it."""
    found = None
    if number.isascii() and number.isdigit() and len(number) <= 18:
        found = Job.objects.filter(workspace=actor.workspace, number=int(number)).first()
    if found is None:
        raise NotFound("There is no such edit in this workspace.")
    return found


def style(actor: Actor, style_id: str | UUID) -> Style:
    """A style of the workspace or of the system."""
    rows = Style.objects.filter(Q(workspace=actor.workspace) | Q(workspace=None), archived_at=None)
    return _one(rows, style_id, "There is no such style in this workspace.")


def character(actor: Actor, character_id: str | UUID) -> Character:
    rows = Character.objects.filter(workspace=actor.workspace, archived_at=None)
    return _one(rows, character_id, "There is no such character in this workspace.")


def quote(actor: Actor, quote_id: str | UUID) -> Quote:
    """A quote that was made for this person here, expired or not."""
    rows = Quote.objects.filter(workspace=actor.workspace, user=actor.user)
    return _one(rows, quote_id, "There is no such quote, or it expired days ago.")


def share(actor: Actor, share_id: str | UUID) -> ShareLink:
    """A share link, live or not, to an image of the workspace."""
    rows = ShareLink.objects.select_related("image").filter(image__workspace=actor.workspace)
    return _one(rows, share_id, "There is no such link in this workspace.")


def provider_key(actor: Actor, key_id: str | UUID) -> ProviderKey:
    """One of the workspace's own provider keys, never one of the portal's."""
    rows = ProviderKey.objects.filter(workspace=actor.workspace)
    return _one(rows, key_id, "There is no such key in this workspace.")


def api_key(actor: Actor, key_id: str | UUID) -> ApiKey:
    """An API key of any member of the workspace, live or not."""
    rows = ApiKey.objects.filter(workspace=actor.workspace)
    return _one(rows, key_id, "There is no such key in this workspace.")


def webhook_endpoint(actor: Actor, endpoint_id: str | UUID) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.filter(workspace=actor.workspace)
    return _one(rows, endpoint_id, "There is no such endpoint in this workspace.")


def webhook_delivery(actor: Actor, delivery_id: str | UUID) -> WebhookDelivery:
    rows = WebhookDelivery.objects.filter(workspace=actor.workspace)
    return _one(rows, delivery_id, "There is no such delivery in this workspace.")


def membership(actor: Actor, user_id: str | UUID) -> Membership:
    """The membership of a person in the workspace, by the id of their account."""
    message = "There is no such member in this workspace."
    rows = Membership.objects.select_related("workspace__plan", "user")
    rows = rows.filter(workspace=actor.workspace, user__is_service_account=False)
    found = rows.filter(user=_uuid(user_id, message)).first()
    if found is None:
        raise NotFound(message)
    return found


def invitation(actor: Actor, invitation_id: str | UUID) -> Invitation:
    """An invitation to the workspace, open or not."""
    rows = Invitation.objects.select_related("workspace__plan", "invited_by")
    return _one(
        rows.filter(workspace=actor.workspace),
        invitation_id,
        "There is no such invitation in this workspace.",
    )


def alias_target(name: str) -> str:
    """The model or tier that a model alias stands for, or the name itself if it is not an alias."""
    alias = ModelAlias.objects.filter(name=name).first()
    return alias.target if alias else name
