"""The ledger: a line for each edit with its entries, and one for each other entry; and its CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts import ledger_words, pictures
from editor.contexts.gallery import who
from editor.contexts.pictures import Thumb
from editor.contexts.usage_chart import Choice
from editor.models import Channel, Image, Job, LedgerEntry, Workspace
from editor.queries import gallery, ledger, usage
from editor.queries.ledger import Filter

# What the filter offers: the kinds of lines.
KINDS = {
    kind.value: "Edit" if kind == LedgerEntry.Kind.HOLD else label
    for kind, label in ledger_words.KINDS.items()
    if kind not in (LedgerEntry.Kind.SETTLE, LedgerEntry.Kind.RELEASE)
}
KEYS_OFFERED = 100
_TINTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, and why there is one."""

    id: int
    at: datetime
    kind: str
    amount: int
    held: int
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `url`: of the edit's own page; "" for other entries.

    state    what the badge says, and `tone` its colour: live, good, bad or ""
    amount   change of the balance by all entries of the line; `held` of a running edit
    balance  after the newest of these entries; None while the edit runs
    """

    id: int
    at: datetime
    when: str
    what: str
    url: str
    picture: Thumb | None
    who: str
    initials: str
    tint: int
    about: str
    state: str
    tone: str
    amount: int
    held: int
    balance: int | None
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of lines, and the URLs of the next page and of the first ("" on it).

    fields    the filter and the page, as form fields
    filtered  not all lines are shown
    """

    lines: list[Line]
    fields: dict[str, str]
    older_url: str
    newest_url: str
    csv_url: str
    filtered: bool


@dataclass(frozen=True, slots=True)
class Controls:
    """The filter's fields as they are set, and what they offer; no `people` for who sees their own only."""

    values: Mapping[str, str]
    people: list[Choice]
    models: list[Choice]
    channels: list[Choice]
    keys: list[Choice]
    kinds: list[Choice]
    states: list[Choice]


def lines(
    filter: Filter, *, fields: Mapping[str, str], shared: Mapping[str, str], before: int | None
) -> Lines:
    """A page of the lines that match. Four queries.

    fields  the filter as in URLs; `shared`: the rest of the page's own URL
    """
    workspace = filter.workspace
    found = ledger.lines(filter, before=before)
    page = found[: ledger.PAGE]
    own = {**shared, **fields}
    entries, results = ledger.entries_of(page), ledger.pictures(page)
    return Lines(
        lines=[_line(workspace, row, entries, results) for row in page],
        fields={**fields, "before": str(before)} if before else {**fields},
        older_url=_url("credits", workspace, own | {"before": str(page[-1].pk)})
        if len(found) > len(page)
        else "",
        newest_url=_url("credits", workspace, own) if before else "",
        csv_url=_url("credits_csv", workspace, fields),
        filtered=bool(fields or before),
    )


def _url(name: str, workspace: Workspace, fields: Mapping[str, str]) -> str:
    url = reverse(name, args=[workspace.slug])
    return f"{url}?{urlencode(fields)}" if fields else url


def controls(actor: Actor, fields: Mapping[str, str]) -> Controls:
    workspace, sees_all = actor.workspace, actor.may(Permission.USAGE_VIEW)
    chosen = UUID(fields["person"]) if fields.get("person") else None
    members = gallery.people(workspace, chosen=chosen) if sees_all else []
    people = [(str(user.pk), user.display_name) for user in members]
    keys = ledger.keys(workspace, user=None if sees_all else actor.user.pk)[:KEYS_OFFERED]
    models = [(model.id, model.label) for model in catalog.catalog().models.values()]

    def choices(name: str, all_of_them: str, pairs: Sequence[tuple[str, str]]) -> list[Choice]:
        chosen = fields.get(name, "")
        known = [*pairs] if not chosen or chosen in dict(pairs) else [*pairs, (chosen, "Former")]
        return [Choice(value, label, value == chosen) for value, label in [("", all_of_them), *known]]

    return Controls(
        values=fields,
        people=choices("person", "Everyone", people) if sees_all else [],
        models=choices("model", "All models", models),
        channels=choices("channel", "All channels", Channel.choices),
        keys=choices("key", "All API keys", [(str(key.pk), key.name) for key in keys]) if keys else [],
        kinds=choices("kind", "All kinds", list(KINDS.items())),
        states=choices("state", "All states", list(ledger_words.STATES.items())),
    )


def entry_lines(entries: Sequence[LedgerEntry], job: Job | None) -> list[Entry]:
    """Entries of one line in words, in their order. `job`: whose they are."""
    return [
        Entry(
            id=entry.pk,
            at=entry.created_at,
            kind=ledger_words.KINDS[LedgerEntry.Kind(entry.kind)],
            amount=entry.amount,
            held=entry.held_amount,
            why=ledger_words.why(entry, job),
        )
        for entry in entries
    ]


def _line(
    workspace: Workspace,
    row: LedgerEntry,
    entries: Mapping[UUID, Sequence[LedgerEntry]],
    results: Mapping[UUID, Image],
) -> Line:
    job = row.job
    own = entries.get(job.pk, [row]) if job else [row]
    state, tone = ledger_words.state(row)
    running = bool(job and job.is_live)
    return Line(
        id=row.pk,
        at=row.created_at,
        when=_when(timezone.localtime(row.created_at)),
        what=ledger_words.title(row),
        url=reverse("gallery_edit", args=[workspace.slug, job.pk]) if job else "",
        picture=_picture(results.get(job.pk) or job.parent) if job else None,
        who=maker(row),
        initials=row.actor.initials if row.actor else "",
        tint=row.actor.pk.int % _TINTS if row.actor else 0,
        about=usage.model_label(job.model) if job else ledger_words.about(row),
        state=state,
        tone=tone,
        amount=sum(entry.amount for entry in own),
        held=sum(entry.held_amount for entry in own),
        balance=None if running else own[-1].balance_after,
        entries=entry_lines(own, job),
    )


def maker(row: LedgerEntry) -> str:
    if row.job_id:
        return who(row.actor)
    return row.actor.display_name if row.actor else "Portal"


def _picture(image: Image | None) -> Thumb | None:
    if image is None or image.trashed_at:
        return None
    return pictures.thumb(image.pk, width=image.width, height=image.height)


def _when(local: datetime) -> str:
    """The time; of the last days with the day of the week, of others with the date."""
    days = (timezone.localdate() - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days < 7:
        return f"{local:%a %H:%M}"
    year = "" if local.year == timezone.localdate().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"
