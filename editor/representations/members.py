"""Members and invitations in the format of the public API. All of it is an addition to Flokan's API."""

from __future__ import annotations

from typing import Literal, cast
from uuid import UUID

from django.urls import reverse
from ninja import Field, Schema

from editor import models
from editor.access import invitation_links
from editor.representations.api import Moment

RoleName = Literal["owner", "admin", "editor", "viewer"]


class Member(Schema):
    """A person in the workspace."""

    member_id: UUID = Field(description="Use it in PATCH and DELETE /members/{member_id}.")
    email: str = Field(description="The address that they sign in with.")
    name: str = Field(description="Their display name.")
    role: RoleName = Field(description="What they may do, with `access_image_editor`.")
    access_image_editor: bool = Field(description="Whether they may run edits and create API keys.")
    monthly_cap: int | None = Field(description="Credits that they can spend a month; null: no cap.")
    daily_cap: int | None = Field(description="Credits that they can spend a day; null: no cap.")
    spent_this_month: int = Field(
        description="Credits charged or held since the start of the month in the workspace's time zone."
    )
    is_active: bool = Field(description="False: an operator has deactivated the account.")
    joined_at: Moment = Field(description="UTC, to the millisecond.")
    last_active_at: Moment | None = Field(description="The last page or API call, to the minute. UTC.")


class Invitation(Schema):
    """An address that can join the workspace once."""

    invitation_id: UUID = Field(description="Use it in DELETE /invitations/{invitation_id}.")
    email: str = Field(description="Only an account with this address can join.")
    role: RoleName = Field(description="The role that they will have.")
    access_image_editor: bool = Field(description="Whether they will be able to run edits.")
    monthly_cap: int | None = Field(description="Credits that they can spend a month; null: no cap.")
    message: str = Field(description="Your message to them.")
    state: Literal["open", "expired", "revoked", "used"] = Field(
        description="Only an `open` invitation can be accepted."
    )
    url: str | None = Field(description="The link to pass on. Null unless the invitation is open.")
    created_at: Moment = Field(description="UTC, to the millisecond.")
    expires_at: Moment = Field(description="When it ends. UTC.")


def member(row: models.Membership, *, spent: int) -> Member:
    return Member(
        member_id=row.user_id,
        email=row.user.email,
        name=row.user.display_name,
        role=cast(RoleName, row.role),
        access_image_editor=row.access_image_editor,
        monthly_cap=row.monthly_cap,
        daily_cap=row.daily_cap,
        spent_this_month=spent,
        is_active=row.user.is_active,
        joined_at=row.created_at,
        last_active_at=row.last_active_at,
    )


def invitation(row: models.Invitation, *, base_url: str) -> Invitation:
    """`base_url`: scheme and host of the link."""
    link = f"{base_url}{reverse('invitation', args=[invitation_links.token(row)])}"
    return Invitation(
        invitation_id=row.pk,
        email=row.email,
        role=cast(RoleName, row.role),
        access_image_editor=row.access_image_editor,
        monthly_cap=row.monthly_cap,
        message=row.message,
        state=row.state,
        url=link if row.is_open else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
