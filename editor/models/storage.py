"""Storage used by each workspace."""

from __future__ import annotations

from django.db import models

from editor.models.workspaces import Workspace


class StorageAccount(models.Model):
    """The bytes of a workspace's images: sources, results, masks, thumbnails, and those in the trash.

    A trigger on the images' table (migration 0016) updates the sum in the transaction that changes an
    image's row. Lock this row before adding an image.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="storage"
    )
    stored = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Bytes.")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.stored} bytes"
