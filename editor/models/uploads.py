"""Files that API clients upload to a link and use later."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class Upload(PublicModel):
    """An uploaded file, unchecked until its first use.

    After that check it is the image with the same id, unless `refusal` says why it cannot be one.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    file_name = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=20, help_text="As declared; the link takes no other.")
    declared_size = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes, by the sender's word: kept free until it is used."
    )
    storage_name = models.CharField(max_length=300, unique=True)
    expires_at = models.DateTimeField(help_text="When the link to send the file to ends.")
    received_at = models.DateTimeField(
        null=True, blank=True, help_text="Unknown where the storage itself takes the file."
    )
    received_size = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Bytes that came; unknown where the storage itself takes the file."
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True, help_text="Why the file cannot be taken as an image.")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="upload_expires_later"
            ),
            models.CheckConstraint(
                condition=Q(refusal="") | Q(checked_at__isnull=False), name="upload_refused_when_checked"
            ),
        )
        indexes = (
            models.Index(
                fields=["workspace", "expires_at"],
                condition=Q(checked_at__isnull=True),
                name="upload_unused",
            ),
            models.Index(fields=["expires_at"], name="upload_expiry"),
        )

    def __str__(self) -> str:
        return f"Upload {self.id}"
