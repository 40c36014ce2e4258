"""Which edits have the words of a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from editor import catalog, words
from editor.models import Character, Job, SearchEntry, Style, User, Workspace
from editor.models.search import label

PAGE = 30
MANY = 5000  # jobs that match the search
RECENT = 1000  # newest jobs, in which frequent words are found quickly
ALL = 10_000_000  # more jobs than there are


class _Lexemes(SearchQuery):
    """A tsquery in text format, which PostgreSQL takes as it is."""

    template = "(%(expressions)s)::tsquery"


def jobs_with(workspace: Workspace, sought: Iterable[str]) -> QuerySet[Any, Any]:
    """The ids of the jobs that have these words, as a query that is fast to filter by.

    Few matches are found by the index of words; many are soon found going back in time, unless all
    are old. The planner assumes one match in two hundred prompts for any rare word and would search
    all jobs for it, so matches are counted first, and the slice prevents any other plan.
    """
    query = _Lexemes(_query(workspace, sought))
    found = SearchEntry.objects.filter(workspace=workspace, words=query).values("job")
    if found[: MANY + 1].count() <= MANY:
        return found[:MANY]
    newest = Job.objects.filter(workspace=workspace).order_by("-created_at", "-id")[:RECENT]
    return found if found.filter(job__in=newest.values("pk")).count() > PAGE else found[:ALL]


def _query(workspace: Workspace, sought: Iterable[str]) -> str:
    """A tsquery: each word must be in the prompt or in the name of what made the edit."""
    names = [(label, words.split(name)) for label, name in _names(workspace)]
    queries = []
    for tokens in map(words.split_search, sought):
        labels = [label for label, name in names if words.contains(name, tokens)]
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
