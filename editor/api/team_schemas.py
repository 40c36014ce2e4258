"""Request and response schemas of members and invitations. All of them are additions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from editor.api.schemas import Page, Request, Success
from editor.operations.caps import HIGHEST
from editor.operations.invitations import LONGEST_ADDRESS, LONGEST_MESSAGE, MOST_AT_ONCE
from editor.representations.members import Invitation, Member, RoleName

InvitedRole = Literal["admin", "editor", "viewer"]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ADDRESS)]
Cap = Annotated[int, Field(ge=0, le=HIGHEST, strict=True)]


def _one_message(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """One message for the field, instead of one for each type that it can have."""
    try:
        return check(value)
    except ValidationError:
        raise ValueError(f"Input should be a whole number from 0 to {HIGHEST}, or 'none'") from None


class _Invited(Request):
    role: InvitedRole = Field("editor", description="The role that they will have.")
    access_image_editor: bool = Field(
        True, strict=True, description="Whether they will be able to run edits and create API keys."
    )
    monthly_cap: Cap | None = Field(None, description="Credits that each can spend a month.")
    message: Annotated[str, StringConstraints(max_length=LONGEST_MESSAGE)] = Field(
        "", description="Part of the mail and of the page that the link opens."
    )


class MemberIn(_Invited):
    email: Address = Field(description="The person's address.")


class InvitationsIn(_Invited):
    emails: Annotated[list[Address], Field(min_length=1, max_length=MOST_AT_ONCE)] = Field(
        description="1 to 100 addresses."
    )


class MemberChangeIn(Request):
    role: RoleName | None = Field(None, description="The new role. Owners are made in the browser only.")
    access_image_editor: bool | None = Field(
        None, strict=True, description="Whether they may run edits and create API keys."
    )
    monthly_cap: Annotated[Cap | Literal["none"] | None, WrapValidator(_one_message)] = Field(
        None, description="Credits that they can spend a month; `none` removes the cap."
    )
    daily_cap: Cap | Literal["none"] | None = Field(
        None, description="Credits that they can spend a day; `none` removes the cap."
    )


class Refused(Schema):
    """An address that could not be invited."""

    email: str = Field(description="The address.")
    error: str = Field(description="Why: a message for people.")


class MemberOut(Schema):
    success: Success = True
    data: Member = Field(description="The member.")


class MembersOut(Schema):
    success: Success = True
    data: list[Member] = Field(description="The members.")
    pagination: Page = Field(description="The position in the list.")


class InvitationOut(Schema):
    success: Success = True
    data: Invitation = Field(description="The invitation.")


class InvitationsOut(Schema):
    success: Success = True
    data: list[Invitation] = Field(description="The invitations.")
    pagination: Page = Field(description="The position in the list.")


class InvitedOut(Schema):
    success: Success = True
    data: list[Invitation] = Field(description="The new invitations.")
    refused: list[Refused] = Field(description="The addresses that could not be invited.")
