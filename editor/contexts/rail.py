"""The versions beside the Studio's stage: a graph of the edit tree, of which a part is shown at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.text import Truncator

from editor import catalog, phrases
from editor.contexts.durations import elapsed
from editor.contexts.graph import Mark, lay_out, reading_order
from editor.contexts.versions import VersionView, shown_sources, version_view
from editor.models import Image, User, Workspace
from editor.queries import studio
from editor.queries.studio import Version

NEAR = 15  # rows above and below the current version
MORE = 30  # rows that are added on request
NAME_PROMPT = 100  # characters of the prompt in the accessible name
TIP_PROMPT = 240  # and in the tooltip
TINTS = 5  # colours of initials


@dataclass(frozen=True, slots=True)
class RailRow:
    """One version.

    source  label of its source, if there is one
    branch  it starts a lane of its own
    tint    colour of the initials, below TINTS: the same for all versions of a person
    about   model, price and duration of the edit
    """

    version: VersionView
    lane: int
    marks: Sequence[Mark]
    source: str
    branch: bool
    who: str
    initials: str
    tint: int
    at: datetime
    about: str

    @property
    def name(self) -> str:
        """The accessible name, e.g. "v5, from v2: Bleached oak table, by Jonas Weber"."""
        origin = f", from {self.source}" if self.branch else ""
        prompt = f": {Truncator(self.version.prompt).chars(NAME_PROMPT)}" if self.version.prompt else ""
        return f"{self.version.label}{origin}{prompt}, by {self.who}"

    @property
    def prompt(self) -> str:
        """As the tooltip has it; empty for an upload."""
        return Truncator(self.version.prompt).chars(TIP_PROMPT)


@dataclass(frozen=True, slots=True)
class Rail:
    """`start` and `end`: the shown rows of all `total` ones."""

    rows: Sequence[RailRow]
    start: int
    end: int
    total: int

    @property
    def earlier(self) -> int:
        """Where the part before this one starts."""
        return max(0, self.start - MORE)

    @property
    def later(self) -> int:
        """Where the part after this one ends."""
        return min(self.total, self.end + MORE)


def rail_view(
    workspace: Workspace,
    tree: Sequence[Version],
    current: Image | None,
    *,
    start: int | None = None,
    end: int = 0,
) -> Rail:
    """The rows from `start` to before `end`, without `start` those near the current version.

    One query.
    """
    sources = shown_sources(tree)
    order = reading_order(sources)
    here = order.index(current.pk) if current and current.pk in sources else 0
    if start is None:
        start, end = here - NEAR, here + NEAR + 1
    start, end = max(0, start), min(len(order), end)
    keys = {here - 1: "[", here + 1: "]"} if current else {}
    shown = order[start:end]
    images = studio.versions({*shown, *filter(None, map(sources.get, shown))})
    rows = []
    for at, row in enumerate(lay_out(order, sources)[start:end], start):
        image, source_id = images[order[at]], sources[order[at]]
        version = version_view(workspace, image, current=current)
        rows.append(
            RailRow(
                version=replace(version, key=keys.get(at, "")),
                lane=row.lane,
                marks=row.marks,
                source=images[source_id].label if source_id else "",
                branch=row.branch,
                who=_name(image.created_by),
                initials=image.created_by.initials if image.created_by else "?",
                tint=image.created_by.pk.int % TINTS if image.created_by else 0,
                at=image.created_at,
                about=_about(image),
            )
        )
    return Rail(rows=rows, start=start, end=end, total=len(order))


def thumbs(workspace: Workspace, tree: Sequence[Version], current: Image) -> list[VersionView]:
    """The versions near the current one, in reading order."""
    return [row.version for row in rail_view(workspace, tree, current).rows]


def _about(image: Image) -> str:
    """E.g. "FLUX.1 Kontext [pro] · 4 credits · 7.9 s"; empty for an upload."""
    job = image.job
    if job is None:
        return ""
    model = catalog.catalog().models.get(job.model)
    credits = phrases.credits(job.charged)
    took = f" · {elapsed(job).total_seconds():.1f} s" if job.finished_at else ""
    return f"{model.label if model else job.model} · {credits}{took}"


def _name(user: User | None) -> str:
    return user.display_name if user else "a former member"
