"""What the gallery's search looks up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from editor import words
from editor.models.jobs import Job
from editor.models.workspaces import Workspace


class SearchEntry(models.Model):
    """The words of a job's prompt, and labels for what else it is found by.

    A label is the id of a person, model, style or character, whose present name a search looks up first:
    a new name needs no new entries. New rules in `editor/words.py` do: a migration makes them all anew.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="search_entry")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    words = SearchVectorField()

    class Meta:
        indexes = (GinIndex(fields=["words"], name="search_words"),)

    def __str__(self) -> str:
        return str(self.job_id)


def label(kind: str, id: UUID | str) -> str:
    """What a job is found by besides its words. `kind`: person, model, style or character."""
    return f":{kind}:{id}"


def vector(job: Any) -> str:
    """The `words` of the entry of a job, also of a migration's."""
    made_with = {
        "person": job.created_by_id,
        "model": job.model,
        "style": job.style_id,
        "character": job.character_id,
    }
    return words.tsvector(job.prompt, [label(kind, id) for kind, id in made_with.items() if id])
