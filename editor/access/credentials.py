"""API keys act for their holder, with the holder's current rights: a person, or for a key of the workspace a
service account.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from editor.access import permissions, scopes, second_factor
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import EditorError, NotAuthenticated, PermissionDenied, SecondFactorRequired
from editor.models import ApiKey, Job, Membership

THEIR_FACTOR = (
    "The person who created this API key must set up a second factor, which the workspace demands. "
    "Then the key works again."
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A user in a workspace whose rights a key, a token or a signed URL depends on.

    user_id  None: the account was deleted
    key_id   None: no key is known, and membership is enough
    """

    workspace_id: UUID
    user_id: UUID | None
    key_id: UUID | None


def holder_of_key(key: ApiKey) -> Holder:
    return Holder(workspace_id=key.workspace_id, user_id=key.created_by_id, key_id=key.pk)


def holder_of_job(job: Job) -> Holder:
    """The holder that tokens and signed URLs of the job depend on."""
    return Holder(workspace_id=job.workspace_id, user_id=job.created_by_id, key_id=job.api_key_id)


def actor_of(key: ApiKey, *, channel: str, address: str | None = None) -> Actor:
    """The key's creator acting in the key's workspace. One query; does not check the key's scopes.

    Raises NotAuthenticated when the key has expired or was revoked, or its creator is inactive or no
    longer a member, and PermissionDenied when the creator's role allows none of its scopes any more, or
    they lack the second factor that the workspace demands.
    """
    memberships = Membership.objects.select_related("workspace__plan", "user")
    membership = memberships.filter(
        workspace=key.workspace_id, user=key.created_by_id, user__is_active=True
    ).first()
    if error := _problem(membership, key):
        raise error
    assert membership is not None
    second_factor.require(membership, THEIR_FACTOR)
    return Actor(
        user=membership.user,
        workspace=membership.workspace,
        membership=membership,
        channel=channel,
        key_id=key.pk,
        address=address,
    )


def lost(holders: Collection[Holder]) -> dict[Holder, EditorError]:
    """The holders who have lost their rights, with the error for each. Two or three queries for all."""
    keys = ApiKey.objects.select_related("created_by").in_bulk({one.key_id for one in holders if one.key_id})
    memberships = {
        (membership.workspace_id, membership.user_id): membership
        for membership in Membership.objects.filter(
            workspace__in={one.workspace_id for one in holders},
            user__in={one.user_id for one in holders if one.user_id},
            user__is_active=True,
        ).select_related("workspace", "user")
    }
    without = second_factor.lacking(memberships.values())
    found: dict[Holder, EditorError] = {}
    for one in holders:
        membership = memberships.get((one.workspace_id, one.user_id)) if one.user_id else None
        key = keys.get(one.key_id) if one.key_id else None
        error = _problem(membership, key) if one.key_id else _problem_of(membership)
        if error is None and membership in without:
            error = SecondFactorRequired(THEIR_FACTOR)
        if error:
            found[one] = error
    return found


def check_job(job: Job) -> None:
    """Raise NotAuthenticated or PermissionDenied if the job's creator has lost their rights."""
    for error in lost([holder_of_job(job)]).values():
        raise error


def _problem(membership: Membership | None, key: ApiKey | None) -> EditorError | None:
    if membership is None and key is not None and not key.created_by.is_service_account:
        return _problem_of(None)
    if key is None or not key.is_live:
        return NotAuthenticated("This API key has expired or was revoked.")
    if error := _problem_of(membership):
        return error
    assert membership is not None
    if not any(permissions.allows(membership, scopes.PERMISSIONS[scope]) for scope in key.scopes):
        return PermissionDenied(_lost_permissions(key))
    return None


def _problem_of(membership: Membership | None) -> NotAuthenticated | None:
    if membership is None:
        return NotAuthenticated("The person who created this API key is no longer a member of its workspace.")
    if membership.workspace.deleted_at:
        return NotAuthenticated("The workspace of this API key was deleted.")
    return None


def _lost_permissions(key: ApiKey) -> str:
    if Permission.EDIT in {scopes.PERMISSIONS[scope] for scope in key.scopes}:
        return "The person who created this API key no longer has the “Access Image Editor” permission."
    return "The person who created this API key may no longer do anything that it is for."
