"""Which edits have the words of a search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from editor import catalog, words
from editor.models import Character, Job, SearchEntry, Style, User, Workspace
from editor.models.search import label

MANY = 5000  # jobs that match the search
RECENT = 300  # newest jobs; more, and the planner reads all of the table for them
DENSE = 10  # so many matches among these: a page of them is soon found going back in time
ALL = 10_000_000  # more jobs than there are


class _Lexemes(SearchQuery):
    """A tsquery in text format, which PostgreSQL takes as it is."""

    template = "(%(expressions)s)::tsquery"


def jobs_with(workspace: Workspace, sought: Iterable[str]) -> QuerySet[Any, Any] | RawSQL:
    """The ids of the jobs that have these words, as a query that is fast to filter by.

    Few matches are found by the index of words; many are soon found going back in time, unless all are
    old. The planner knows neither how rare a word is nor that names exclude one another, so matches are
    counted first, and a function (migration 0023) keeps it from any other plan.
    """
    query = _query(workspace, sought)
    if _count(workspace, query, limit=MANY + 1) <= MANY:
        return _by_index(workspace, query, MANY)
    found = SearchEntry.objects.filter(workspace=workspace, words=_Lexemes(query)).values("job")
    newest = Job.objects.filter(workspace=workspace).order_by("-created_at", "-id")[:RECENT]
    recent = found.filter(job__in=newest.values("pk")).count()
    return found if recent >= DENSE else _by_index(workspace, query, ALL)


def _by_index(workspace: Workspace, query: str, limit: int) -> RawSQL:
    sql = "SELECT * FROM editor_search(%s, %s::tsquery, %s)"
    return RawSQL(sql, (workspace.pk, query, limit))  # noqa: S611 - the values are parameters


def _count(workspace: Workspace, query: str, *, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM editor_search(%s, %s::tsquery, %s)", (workspace.pk, query, limit)
        )
        return int(cursor.fetchone()[0])


def _query(workspace: Workspace, sought: Iterable[str]) -> str:
    """A tsquery: each word must be in the prompt or in the name of what made the edit."""
    names = [(named, words.split(name)) for named, name in _names(workspace)]
    queries = []
    for tokens in map(words.split_search, dict.fromkeys(sought)):
        labels = [named for named, name in names if words.contains(name, tokens)]
        queries.append(f"({words.tsquery(tokens, labels)})")
    return " & ".join(queries)


def _names(workspace: Workspace) -> list[tuple[str, str]]:
    """The labels and names of the models, and of the people, styles and characters of the workspace."""
    # Former members too, whom the gallery still names.
    made_edits = Exists(Job.objects.filter(workspace=workspace, created_by=OuterRef("pk")))
    people = User.objects.filter(made_edits).values_list(Value("person"), "pk", "name", "email")
    styles = Style.objects.filter(Q(workspace=None) | Q(workspace=workspace))
    characters = Character.objects.filter(workspace=workspace)
    rows = people.union(
        *(
            presets.order_by().values_list(Value(kind), "pk", "name", Value(""))
            for kind, presets in (("style", styles), ("character", characters))
        ),
        all=True,
    )
    names = [(label(kind, id), User(name=name, email=email).display_name) for kind, id, name, email in rows]
    for model in catalog.catalog().models.values():
        names.append((label("model", model.id), model.label))
    return names
