"""`manage.py members`: who is in a workspace, for scripts of the operator."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from editor.errors import EditorError
from editor.mail_addresses import normalized
from editor.management.database import migrate
from editor.models import Membership, Role, User, Workspace
from editor.operations import caps, members
from editor.operations.members import KEEP, Keep
from editor.queries import members as queries


class Command(BaseCommand):
    help = (
        "List, add and remove the members of a workspace, and change their roles and caps. People are named "
        "by their email address and need an account; others are invited on the Members page or by the API."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        listing = acts.add_parser("list", help="Print the members.")
        add = acts.add_parser("add", help="Make a person with an account a member. Idempotent.")
        add.add_argument("email")
        add.add_argument("--role", choices=Role.values, default=Role.EDITOR.value)
        remove = acts.add_parser("remove", help="Remove a member.")
        remove.add_argument("email")
        role = acts.add_parser("role", help="Change a member's role.")
        role.add_argument("email")
        role.add_argument("role", choices=Role.values)
        cap = acts.add_parser("cap", help="Change what a member can spend. What is not given stays.")
        cap.add_argument("email")
        for period in ("monthly", "daily"):
            cap.add_argument(f"--{period}", type=_cap, default=KEEP, metavar="CREDITS", help="Or: none.")
        for act in (listing, add, remove, role, cap):
            act.add_argument("--workspace", required=True, metavar="SLUG", help="As in /w/SLUG/.")
            act.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        try:
            with transaction.atomic():
                rows = self._act(options)
        except EditorError as error:
            raise CommandError(error.message) from None
        if options["json"]:
            self.stdout.write(json.dumps([_described(row) for row in rows], indent=2))
            return
        for row in rows:
            self.stdout.write(f"{row.user.email}\t{row.role}")

    def _act(self, options: dict[str, Any]) -> list[Membership]:
        """The members that the command printed or changed. Raises CommandError and EditorError."""
        workspace = Workspace.objects.filter(slug=options["workspace"], deleted_at=None).first()
        if workspace is None:
            raise CommandError(f"There is no workspace at /w/{options['workspace']}/.")
        if options["act"] == "list":
            return list(queries.people(workspace).select_related("user").order_by("user__email"))
        if options["act"] == "add":
            return [_add(workspace, options["email"], Role(options["role"]))]
        row = _member(workspace, options["email"])
        if options["act"] == "remove":
            members.end(membership=row, actor=None)
            return [row]
        if options["act"] == "cap":
            _set_caps(row, monthly=options["monthly"], daily=options["daily"])
            return [row]
        row.role = options["role"]
        members.save(membership=row, actor=None)
        return [row]


def _cap(text: str) -> int | None:
    return None if text == "none" else int(text)


def _set_caps(row: Membership, *, monthly: int | Keep | None, daily: int | Keep | None) -> None:
    if monthly is not KEEP:
        row.monthly_cap = caps.checked(monthly)
    if daily is not KEEP:
        row.daily_cap = caps.checked(daily, field="daily_cap")
    members.save(membership=row, actor=None)


def _add(workspace: Workspace, email: str, role: Role) -> Membership:
    user = User.objects.filter(email__iexact=normalized(email), is_service_account=False).first()
    if user is None:
        raise CommandError(f"Nobody has an account with the address {email}. Invite them instead.")
    existing = queries.people(workspace).filter(user=user).first()
    if existing is None and queries.seats_left(workspace) < 1:
        raise CommandError(f"All {workspace.plan.seats} seats of the plan “{workspace.plan}” are taken.")
    return members.join(workspace=workspace, user=user, role=role, actor=None)


def _member(workspace: Workspace, email: str) -> Membership:
    rows = queries.people(workspace).select_related("user", "workspace")
    row = rows.filter(user__email__iexact=normalized(email)).first()
    if row is None:
        raise CommandError(f"{email} is not a member of {workspace}.")
    return row


def _described(row: Membership) -> dict[str, Any]:
    return {
        "email": row.user.email,
        "name": row.user.display_name,
        "role": row.role,
        "access_image_editor": row.access_image_editor,
        "monthly_cap": row.monthly_cap,
        "daily_cap": row.daily_cap,
        "last_active_at": row.last_active_at.isoformat() if row.last_active_at else None,
    }
