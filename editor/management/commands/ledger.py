"""`manage.py ledger verify`: proves that what is kept beside the ledger's entries equals their sums."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from editor.management.database import migrate
from editor.models import Workspace
from editor.operations import ledger_checks
from editor.queries import proof


class Command(BaseCommand):
    help = (
        "verify: recompute the balance, what is held, what each edit was charged, the daily usage and what "
        "limits count from the ledger's entries. Fails, and prints the first entry that differs, unless all "
        "of it matches. Safe while the portal runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        which = acts.add_parser("verify", help="Prove ledgers.").add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="Of all workspaces.")
        which.add_argument("--workspace", metavar="SLUG", help="Of one, as in /w/SLUG/.")

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        wrong = sum(not self._verify(workspace) for workspace in _chosen(options["workspace"]))
        if wrong:
            raise CommandError("1 ledger differs." if wrong == 1 else f"{wrong} ledgers differ.")

    def _verify(self, workspace: Workspace) -> bool:
        started = monotonic()
        result = proof.begin(workspace)
        for result in proof.run(workspace):
            if not result.done and self.stdout.isatty():
                self.stdout.write(f"{workspace.slug}: {result.checked:,} of {result.total:,}", ending="\r")
        seconds = monotonic() - started
        ledger_checks.save_for_operator(
            workspace=workspace, result=result, milliseconds=round(1000 * seconds)
        )
        found = result.problem or "matches"
        entries = "1 entry" if result.checked == 1 else f"{result.checked:,} entries"
        self.stdout.write(f"{workspace.slug}: {entries} ({seconds:.1f} s): {found}")
        return not result.problem


def _chosen(slug: str | None) -> Iterable[Workspace]:
    """The workspace with this address, or all, also those that were deleted and can be restored."""
    rows = Workspace.objects.filter(credit_account__isnull=False).order_by("slug")
    if slug is None:
        return rows
    found = list(rows.filter(slug=slug))
    if not found:
        raise CommandError(f"There is no workspace at /w/{slug}/.")
    return found
