"""Addresses of workspaces: the slugs in their URLs, each unique among current and former ones."""

from __future__ import annotations

import re
from itertools import count

from django.db import transaction
from django.utils.text import slugify

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import InvalidInput
from editor.models import FormerAddress, Workspace
from editor.operations import audit, locks

SHORTEST, LONGEST = 2, 60  # characters
MOST_FORMER = 20  # of one workspace
# They would look like a page of the portal, or like its operator.
RESERVED = frozenset(
    "about account accounts admin administrator api app assets auth billing blog docs files gallery health "
    "help home info invitation invitations invite legal login logout mail mcp new operator operators owner "
    "portal pricing root sandbox security settings signin signup static status studio support system team "
    "uploads user users welcome workspaces www".split()
)
_ADDRESS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# The number of the lock that lets one caller at a time choose an address.
_LOCK = 7_210_003


def free(*, name: str) -> str:
    """An address for a new workspace with this name, which is its own until the transaction ends."""
    locks.lock(_LOCK)
    base = slugify(name)[:50] or "workspace"
    taken = {
        *Workspace.objects.filter(slug__startswith=base).values_list("slug", flat=True),
        *FormerAddress.objects.filter(slug__startswith=base).values_list("slug", flat=True),
    }
    first = 2 if base in RESERVED else 1
    slugs = (base if number == 1 else f"{base}-{number}" for number in count(first))
    return next(slug for slug in slugs if slug not in taken)


@transaction.atomic
def change(*, actor: Actor, address: str) -> None:
    """Give the workspace another address. The old one redirects. Raises PermissionDenied and InvalidInput."""
    actor.require(Permission.WORKSPACE_MANAGE)
    workspace, address = actor.workspace, address.strip().lower()
    if address == workspace.slug:
        return
    if not SHORTEST <= len(address) <= LONGEST or not _ADDRESS.fullmatch(address):
        raise _wrong(f"Enter {SHORTEST} to {LONGEST} letters (a to z), digits and single hyphens.")
    if address in RESERVED:
        raise _wrong(f"The address “{address}” is reserved. Choose another one.")
    before = set_current(workspace=workspace, address=address)
    workspace.slug = address
    workspace.save(update_fields=["slug"])
    audit.record(
        workspace=workspace,
        actor=actor,
        action="workspace.address_changed",
        target=address,
        before={"address": before},
        after={"address": address},
    )


def set_current(*, workspace: Workspace, address: str) -> str:
    """Take the address for the workspace, keep its stored one as a former one, and return that.

    The caller stores the workspace, in the same transaction. Raises InvalidInput.
    """
    locks.lock(_LOCK)
    before = Workspace.objects.filter(pk=workspace.pk).values_list("slug", flat=True).first() or ""
    if before == address:
        return before
    others = FormerAddress.objects.exclude(workspace=workspace.pk)
    if Workspace.objects.filter(slug=address).exists() or others.filter(slug=address).exists():
        raise _wrong(f"The address “{address}” is already taken. Choose another one.")
    own = FormerAddress.objects.filter(workspace=workspace.pk)
    own.filter(slug=address).delete()
    if own.count() >= MOST_FORMER:
        raise _wrong(f"This workspace has had {MOST_FORMER} other addresses. Choose one of those.")
    if before:
        FormerAddress.objects.create(slug=before, workspace=workspace)
    return before


def _wrong(problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={"address": problem})
