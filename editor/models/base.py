"""Base classes."""

from __future__ import annotations

import uuid

from django.db import models


class PublicModel(models.Model):
    """A row with an unguessable UUID as its public id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
