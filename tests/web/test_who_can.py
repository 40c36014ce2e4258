"""A message that something needs other people names those who can do it.

Owners and admins set roles, permissions and caps; only operators give credits.
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from editor.access.permissions import Permission
from editor.errors import InsufficientCredits, PermissionDenied
from editor.models import CreditAccount
from editor.operations import credits, limits
from tests.factories import make_actor, make_member, make_workspace

FALSE = re.compile(r"\b(?:owner|admin)s?\b[^.<\"]{0,40}\bcan (?:add|give) credits")
SOURCES = [
    path
    for folder in ("templates", "editor")
    for path in sorted((settings.BASE_DIR / folder).rglob("*"))
    if path.suffix in {".html", ".txt", ".py"}
]


def test_no_text_promises_what_owners_and_admins_cannot_do() -> None:
    assert not [str(path) for path in SOURCES if FALSE.search(path.read_text())]


@pytest.mark.django_db
def test_the_operator_adds_credits_raises_caps_and_gives_access() -> None:
    workspace = make_workspace()
    actor = make_actor(workspace, user=make_member(workspace, monthly_cap=1))
    viewer = make_actor(workspace, user=make_member(workspace, access_image_editor=False))
    account = CreditAccount.objects.get(workspace=workspace)
    with pytest.raises(InsufficientCredits, match="An operator of this portal can add credits"):
        credits.check(account=account, price=account.balance + 1)
    with pytest.raises(InsufficientCredits, match="An owner or admin of this workspace can raise it"):
        limits.check_credits(actor=actor, price=2)
    with pytest.raises(PermissionDenied, match="An owner or admin of it can give you"):
        viewer.require(Permission.EDIT)
