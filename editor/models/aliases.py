"""Names by which clients made for another service refer to models."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models


class ModelAlias(models.Model):
    """A name that clients of the OpenAI-compatible API can send as `model`."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[A-Za-z0-9][A-Za-z0-9._:-]*\Z",
                "Use only letters, digits, dots, colons, dashes and underscores.",
            )
        ],
        help_text="What clients send as the model, for example gpt-image-2.",
    )
    target = models.CharField(max_length=120, help_text="A model of the catalogue, or a tier.")

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "model aliases"

    def __str__(self) -> str:
        return self.name
