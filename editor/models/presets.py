"""Styles and characters."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from editor.models.base import PublicModel
from editor.models.images import Image
from editor.models.workspaces import Workspace


class Style(PublicModel):
    """Text that is added to a prompt. A style without a workspace is a system style for all workspaces."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="styles", null=True, blank=True
    )
    name = models.CharField(max_length=60)
    prompt = models.TextField(max_length=1000, help_text="Added to the end of the prompt.")
    preview = models.CharField(
        max_length=200, blank=True, help_text="Path of a static file. Leave empty for a plain tile."
    )
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, help_text="Counts up with each change.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position", "name")
        constraints = (
            models.UniqueConstraint(
                F("workspace"), Lower("name"), name="style_name_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="style_version_positive"),
        )

    def __str__(self) -> str:
        return self.name


class Character(PublicModel):
    """A figure that stays the same across edits, defined by one to four reference images.

    Its images are still used while in the trash, and their files are kept as long as it has them.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="characters")
    name = models.CharField(max_length=60)
    description = models.TextField(max_length=1000, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts up with each change.")
    archived_at = models.DateTimeField(null=True, blank=True)
    images = models.ManyToManyField(Image, through="CharacterImage", related_name="characters")

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(F("workspace"), Lower("name"), name="character_name_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="character_version_positive"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def likenesses(self) -> models.QuerySet[Image]:
        """Its reference images by position, except any that were purged."""
        return self.images.filter(purged_at=None).order_by("character_images__position")


class CharacterImage(models.Model):
    """One reference image of a character, at position 1..4.

    Before adding one, lock the image and check that it was not purged.
    """

    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="character_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="character_images")
    position = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(4)],
    )

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["character", "position"], name="character_image_place_once"),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=4), name="character_image_place_1_to_4"
            ),
        )
