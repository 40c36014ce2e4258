"""`manage.py bootstrap`: people, workspaces, their credits and keys, for scripts and containers."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from editor.access import lookups, signatures
from editor.access.scopes import EVERYTHING, SCOPES
from editor.errors import EditorError
from editor.mail_addresses import normalized
from editor.management.database import migrate
from editor.models import Membership, Plan, Role, User, Workspace
from editor.operations import api_keys, credits, members, workspaces


class Command(BaseCommand):
    help = (
        "Create or update a person and a workspace. Whoever a workspace is created with is its owner; others "
        "join as editors, unless --role says otherwise. Running it again changes nothing; a new email and "
        "workspace create another tenant. The first account of an installation is its operator. Works "
        "before the portal's first start and while it runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--workspace", required=True, metavar="NAME")
        parser.add_argument(
            "--role",
            choices=Role.values,
            help="The person's role in the workspace. Default: as it is; owner of a new workspace, editor of "
            "an existing one.",
        )
        parser.add_argument(
            "--credits",
            type=int,
            metavar="N",
            help="The resulting balance. Default: as it is, 0 for a new workspace.",
        )
        parser.add_argument(
            "--api-key-file", type=Path, metavar="F", help="File with the API key; created if missing."
        )
        parser.add_argument(
            "--wiro-key-file",
            type=Path,
            metavar="F",
            help="File with a key for signed requests (JSON: api_key, api_secret); created if missing.",
        )
        parser.add_argument(
            "--scopes",
            default=EVERYTHING,
            metavar="S,S",
            help=f"Scopes of a new key, from: {', '.join(SCOPES)}. Default: the first, full access.",
        )
        parser.add_argument("--expires-in", type=int, metavar="SECONDS", help="Lifetime of a new key.")
        parser.add_argument("--requests-per-minute", type=int, metavar="N")
        parser.add_argument("--concurrent-jobs", type=int, metavar="N")
        parser.add_argument("--revoke", action="store_true", help="Revoke the keys in these files.")

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        try:
            with transaction.atomic():
                user = self._user(options["email"].strip(), options["password"])
                workspace, membership = self._workspace(options["workspace"].strip(), user, options["role"])
                self._plan(workspace, options["requests_per_minute"], options["concurrent_jobs"])
                self._credits(workspace, options["credits"])
                files = {False: options["api_key_file"], True: options["wiro_key_file"]}
                results = [
                    self._key(workspace, user, path, options, signed=signed)
                    for signed, path in files.items()
                    if path is not None
                ]
        except EditorError as error:
            raise CommandError(error.message) from None
        self.stdout.write(" ".join([f"{membership} ({membership.role}), at /w/{workspace.slug}/.", *results]))

    def _user(self, email: str, password: str) -> User:
        user = User.objects.filter(email__iexact=normalized(email)).first()
        if user is None:
            operator = workspaces.claim_first_start()
            return workspaces.create_user(email=email, password=password, operator=operator)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        return user

    def _workspace(self, name: str, user: User, role: str | None) -> tuple[Workspace, Membership]:
        workspace = Workspace.objects.filter(name=name).order_by("created_at").first()
        if workspace is None:
            if role not in (None, Role.OWNER):
                raise CommandError(
                    f"There is no workspace “{name}”: whoever it is created with is its owner."
                )
            workspace = workspaces.create(name=name, owner=user)
        wanted = Role(role) if role else None
        return workspace, members.join(workspace=workspace, user=user, role=wanted, actor=None)

    def _plan(self, workspace: Workspace, requests: int | None, jobs: int | None) -> None:
        """Own limits get an own plan, so that other workspaces keep theirs."""
        if requests is None and jobs is None:
            return
        if (requests is not None and requests < 1) or (jobs is not None and jobs < 1):
            raise CommandError("Limits must be whole numbers of 1 or more.")
        current = workspace.plan
        plan, _ = Plan.objects.update_or_create(
            name=f"Own limits: {workspace.slug}",
            defaults={
                "requests_per_minute": requests or current.requests_per_minute,
                "concurrent_jobs": jobs or current.concurrent_jobs,
                "own_keys": current.own_keys,
                "monthly_credits": current.monthly_credits,
                "rollover": current.rollover,
                "rollover_limit": current.rollover_limit,
            },
        )
        workspace.plan = plan
        workspace.save(update_fields=["plan"])

    def _credits(self, workspace: Workspace, balance: int | None) -> None:
        if balance is None:
            return
        if balance < 0:
            raise CommandError("Credits cannot be negative.")
        difference = balance - credits.lock_account(workspace_id=workspace.id).balance
        if difference:
            credits.adjust(workspace=workspace, amount=difference, actor=None, note="bootstrap")

    def _key(
        self, workspace: Workspace, user: User, path: Path, options: dict[str, Any], *, signed: bool
    ) -> str:
        existing = api_keys.find(_bare_key(path)) if path.exists() else None
        if existing is not None and existing.workspace_id != workspace.id:
            if existing.is_live:
                raise CommandError(
                    f"{path} contains an active key of another workspace; nothing was changed."
                )
            existing = None
        actor = lookups.actor(user, workspace.slug, channel="bootstrap")
        if options["revoke"]:
            if existing is None:
                raise CommandError(f"{path} contains no key of this workspace.")
            api_keys.revoke(actor=actor, key=existing)
            return f"Revoked the key in {path}."
        if existing is not None and existing.is_live:
            if (existing.signing_secret is not None) != signed:
                raise CommandError(f"{path} contains an active key of the other kind; nothing was changed.")
            return f"The key in {path} is active."
        key, bare = api_keys.create(
            actor=actor,
            name=path.name[: api_keys.LONGEST_NAME],
            scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
            expires_in=options["expires_in"],
            signed=signed,
        )
        text = json.dumps({"api_key": bare, "api_secret": signatures.secret_of(key)}) if signed else bare
        _write_secret(path, text)
        return f"Wrote a new key to {path}."


def _bare_key(path: Path) -> str:
    """The key in a file of either kind; any other content is returned as it is."""
    text = path.read_text().strip()
    try:
        return str(json.loads(text)["api_key"])
    except (ValueError, KeyError, TypeError):
        return text


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    draft.replace(path)
