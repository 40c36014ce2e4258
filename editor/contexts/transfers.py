"""The form that transfers credits to another workspace of the same owner."""

from __future__ import annotations

from dataclasses import dataclass

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import Workspace
from editor.operations import transfers
from editor.queries import credits, workspaces


@dataclass(frozen=True, slots=True)
class TransferView:
    """The other workspaces that the person owns, the credits that can go there, and those that stay."""

    targets: list[Workspace]
    available: int
    monthly: int


def transfer_view(actor: Actor) -> TransferView | None:
    """None for those who cannot transfer credits from here, or have no other workspace."""
    if not actor.may(Permission.WORKSPACE_OWN):
        return None
    targets = [one for one in workspaces.owned(actor.user) if one != actor.workspace]
    if not targets:
        return None
    account = credits.account(actor.workspace)
    available = transfers.transferable(account)
    return TransferView(targets=targets, available=available, monthly=account.balance - available)
