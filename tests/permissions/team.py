"""One workspace with one of everything, and everybody who might ask for it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from editor.access import permissions
from editor.access.permissions import Permission
from editor.access.scopes import EVERYTHING, MANAGE, READ
from editor.models import Invitation, Membership, Plan, Role, User
from editor.operations import api_keys
from tests.factories import UserFactory, make_actor, make_workspace
from tests.web.routes import Rows, make_rows

ALL_SCOPES = (EVERYTHING, READ, MANAGE)
# Actor -> role and “Access Image Editor”; None: no member.
RIGHTS: Mapping[str, tuple[Role, bool] | None] = {
    "anonymous": None,
    "stranger": None,
    "viewer": (Role.VIEWER, True),
    "editor": (Role.EDITOR, True),
    "editor without permission": (Role.EDITOR, False),
    "admin": (Role.ADMIN, True),
    "admin without permission": (Role.ADMIN, False),
    "owner": (Role.OWNER, True),
    "removed member": None,
    "person's key": (Role.OWNER, True),
    "workspace key": (Role.EDITOR, True),
    "read-only key": (Role.OWNER, True),
}
KEYS = {"person's key": (EVERYTHING,), "workspace key": (EVERYTHING,), "read-only key": (READ,)}


@dataclass
class Team:
    """The workspace's rows, and each actor with their user and their API key, as far as they have one."""

    rows: Rows
    users: dict[str, User]
    keys: dict[str, str]
    values: dict[str, Callable[[str], Any]]

    def url(self, path: str) -> str:
        """The path with ids of the workspace's rows; those of unknown kinds are made up."""
        return re.sub(r"<(?:(\w+):)?(\w+)>|{(\w+)}", lambda found: str(self._value(path, found)), path)

    def _value(self, path: str, found: re.Match[str]) -> Any:
        known = self.values.get(found[2] or found[3])
        return known(path) if known else {"uuid": uuid.uuid4(), "int": 1}.get(found[1], "unknown")


def holds(name: str, permission: Permission) -> bool:
    """What the table says."""
    rule, rights = permissions.RULES[permission], RIGHTS[name]
    return (
        rights is not None and rights[0] in rule.roles and (rights[1] or rights[0] not in rule.needs_editor)
    )


def make_team() -> Team:
    """The keys of members were created while they could do everything."""
    rows = make_rows("Acme")
    workspace, owner = rows.workspace, make_actor(rows.workspace)
    Plan.objects.filter(pk=workspace.plan_id).update(requests_per_minute=1_000_000, own_keys=True)
    users, keys = (
        {"owner": owner.user},
        {"owner": api_keys.create(actor=owner, name="o", scopes=ALL_SCOPES)[1]},
    )
    for name in ("viewer", "editor", "editor without permission", "admin", "admin without permission"):
        rights = RIGHTS[name]
        assert rights
        users[name], keys[name] = _member(rows, *rights)
    users["removed member"], keys["removed member"] = _member(rows, Role.EDITOR, True)
    Membership.objects.filter(user=users["removed member"]).delete()
    stranger = make_actor(make_workspace(name="Rivals"))
    users["stranger"] = stranger.user
    keys["stranger"] = api_keys.create(actor=stranger, name="s", scopes=ALL_SCOPES)[1]
    for name, scopes in KEYS.items():
        of_workspace = name == "workspace key"
        _, keys[name] = api_keys.create(actor=owner, name=name, scopes=scopes, of_workspace=of_workspace)
    return Team(
        rows=rows, users=users, keys=keys, values=_values(rows, target=_member(rows, Role.EDITOR, True)[0])
    )


def _member(rows: Rows, role: Role, access: bool) -> tuple[User, str]:
    user = UserFactory.create()
    membership = Membership.objects.create(workspace=rows.workspace, user=user, role=Role.OWNER)
    _, bare = api_keys.create(actor=make_actor(rows.workspace, user=user), name="m", scopes=ALL_SCOPES)
    membership.role, membership.access_image_editor = role, access
    membership.save()
    return user, bare


def _values(rows: Rows, *, target: User) -> dict[str, Callable[[str], Any]]:
    """What stands for each part of a path."""
    owner = make_actor(rows.workspace)
    of_workspace, _ = api_keys.create(actor=owner, name="ci", scopes=[READ], of_workspace=True)
    # Without “Access Image Editor”: nobody sends an invitation that gives more than they have themselves.
    invitation = Invitation.objects.create(
        workspace=rows.workspace,
        email="new@example.test",
        role=Role.VIEWER,
        access_image_editor=False,
        nonce="x",
        expires_at=timezone.now(),
    )
    ended = rows.result.job
    assert ended
    return {
        "slug": lambda path: rows.workspace.slug,
        "image_id": lambda path: rows.image.id,
        "job_id": lambda path: ended.id if "/api/" in path else rows.job.id,
        "share_id": lambda path: rows.share.id,
        "endpoint_id": lambda path: rows.endpoint.id,
        "delivery_id": lambda path: rows.delivery.id,
        "key_id": lambda path: rows.key.id if "provider" in path else of_workspace.id,
        "user_id": lambda path: target.id,
        "invitation_id": lambda path: invitation.id,
        "provider": lambda path: "bfl",
        "name": lambda path: "coffee" if "samples" in path else "bfl",
    }
