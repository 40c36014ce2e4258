"""The ledger as rows of a CSV file, one for each entry."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from editor.contexts import ledger_words
from editor.contexts.audit import harmless
from editor.contexts.ledger import maker
from editor.models import LedgerEntry
from editor.queries import ledger, usage
from editor.queries.ledger import Filter

COLUMNS = (
    "Entry",
    "Time",
    "Kind",
    "Credits",
    "Held",
    "Balance",
    "Held after",
    "Edit",
    "Person",
    "Model",
    "Channel",
    "API key",
    "Note",
    "Why",
)
BATCH = 250  # lines in memory


def rows(filter: Filter, *, before: int | None, newest: int) -> tuple[list[list[str]], int | None]:
    """Entries of the next lines, and the `before` of those after them; None once there are no more.

    newest  the highest id in the file: those that come while it is sent would not add up
    """
    found = ledger.lines(filter, before=before, newest=newest, size=BATCH)
    entries = ledger.entries_of(found)
    keys = usage.labels(usage.Dimension.KEY, {str(row.key or "") for row in found})
    found_rows = [
        _csv_row(row, entry, keys[str(row.key)] if row.key else "")
        for row in found
        for entry in (entries.get(row.job_id, [row]) if row.job_id else [row])
        if entry.pk <= newest
    ]
    return found_rows, found[-1].pk if len(found) == BATCH else None


def _csv_row(line: LedgerEntry, entry: LedgerEntry, key: str) -> list[str]:
    return [*_csv_figures(entry), *(harmless(cell) for cell in _csv_texts(line, entry, key))]


def _csv_figures(entry: LedgerEntry) -> Iterator[str]:
    yield str(entry.pk)
    yield timezone.localtime(entry.created_at).isoformat(timespec="seconds")
    yield ledger_words.KINDS[LedgerEntry.Kind(entry.kind)]
    for amount in (entry.amount, entry.held_amount, entry.balance_after, entry.held_after):
        yield str(amount)
    yield str(entry.job_id or "")


def _csv_texts(line: LedgerEntry, entry: LedgerEntry, key: str) -> Iterator[str]:
    yield maker(line)
    yield usage.model_label(line.model) if line.model else ""
    yield usage.channel_label(line.channel) if line.channel else ""
    yield key
    yield line.job.prompt if line.job else line.note
    yield ledger_words.why(entry, line.job)
