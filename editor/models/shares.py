"""Links that show one image to people without an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from editor.models.base import PublicModel
from editor.models.images import Image


class ShareLink(PublicModel):
    """A link to one image. Only a SHA-256 of its token is stored; the link is shown once."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="shares")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    before = models.ForeignKey(
        Image,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The image before the edit, if it is shown as well.",
    )
    title = models.CharField(max_length=100, blank=True, default="", db_default="")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="share_expires_later"
            ),
        )

    def __str__(self) -> str:
        return f"Share of {self.image_id}"

    @property
    def shown_before(self) -> Image | None:
        """The image before the edit, unless it is not shown or has been moved to the trash."""
        return self.before if self.before and not self.before.trashed_at else None

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()
