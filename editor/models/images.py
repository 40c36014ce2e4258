"""Images: uploads, masks and results, and their lineage."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class Image(PublicModel):
    """One stored image, already checked and re-encoded.

    Lineage: `parent` is the image that was edited to make this one, `root` the first image
    of its edit tree (null on the root itself), `version` its number within that tree, so
    "v4" stays v4. `job` is the job that made it, null for uploads and masks.
    """

    class Kind(models.TextChoices):
        SOURCE = "source"
        RESULT = "result"
        REFERENCE = "reference"
        MASK = "mask"

    UPLOADS = (Kind.SOURCE, Kind.REFERENCE)

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="images")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="images"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    storage_name = models.CharField(max_length=300, unique=True)
    original_name = models.CharField(max_length=255, blank=True)
    from_sample = models.BooleanField(default=False, help_text="A copy of a shipped photograph.")
    content_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField(help_text="Pixels.")
    height = models.PositiveIntegerField(help_text="Pixels.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    thumbnail_size = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Bytes of all its thumbnails; 0 where nobody counted them."
    )
    job = models.ForeignKey("Job", on_delete=models.PROTECT, null=True, blank=True, related_name="results")
    position = models.PositiveSmallIntegerField(default=0, help_text="Which sample of its job, from 0.")
    has_alpha = models.BooleanField(
        null=True, help_text="Whether any pixel is not opaque; null for images from before this was recorded."
    )
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    root = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="descendants"
    )
    version = models.PositiveIntegerField(default=1)
    trashed_at = models.DateTimeField(null=True, blank=True)
    trashed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    purged_at = models.DateTimeField(
        null=True, blank=True, help_text="Its files are gone for good; the row keeps the lineage whole."
    )

    # Set on an image that has just been added and is smaller than its file was: that one's width and height.
    original_size: tuple[int, int] | None = None

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=["source", "result", "reference", "mask"]), name="image_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="result", job__isnull=False) | (~Q(kind="result") & Q(job__isnull=True)),
                name="image_result_has_job",
            ),
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1, size__gte=1), name="image_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(root__isnull=True, version=1) | Q(root__isnull=False, version__gte=2),
                name="image_root_is_version_1",
            ),
            models.UniqueConstraint(fields=["root", "version"], name="image_version_once"),
            models.UniqueConstraint(fields=["job", "position"], name="image_result_once"),
            models.CheckConstraint(
                condition=Q(purged_at__isnull=True) | Q(trashed_at__isnull=False),
                name="image_purged_from_trash",
            ),
        )
        indexes = (
            models.Index(fields=["workspace", "-created_at"], name="image_recent"),
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                condition=Q(kind="result", trashed_at__isnull=True),
                name="image_gallery",
            ),
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                condition=Q(kind__in=["source", "reference"], trashed_at__isnull=True),
                name="image_uploads",
            ),
            models.Index(
                fields=["workspace", "-trashed_at"],
                condition=Q(trashed_at__isnull=False, purged_at__isnull=True),
                name="image_trash",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def label(self) -> str:
        """Display name within its edit tree."""
        if self.version == 1 and self.kind in self.UPLOADS:
            return "Original"
        return f"v{self.version}"

    @property
    def may_have_alpha(self) -> bool:
        return self.content_type != "image/jpeg" and self.has_alpha is not False


class Star(models.Model):
    """A user's star on an image: each user has their own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="stars")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "image"], name="star_once"),)

    def __str__(self) -> str:
        return f"{self.user} starred {self.image_id}"
