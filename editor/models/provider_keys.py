"""A workspace's own keys at image providers."""

from __future__ import annotations

from django.db import models

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class ProviderKey(PublicModel):
    """Edits that use it cost the workspace no credits.

    `secret` is encrypted before it gets here and never shown again; `last_four` is what
    people see.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="provider_keys")
    provider = models.CharField(max_length=20)
    secret = models.BinaryField()
    last_four = models.CharField(max_length=4)
    is_enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["workspace", "provider"], name="provider_key_once"),)

    def __str__(self) -> str:
        return f"{self.provider} …{self.last_four}"
