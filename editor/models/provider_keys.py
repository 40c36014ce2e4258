"""Keys for image providers: the portal's, and workspaces' own."""

from __future__ import annotations

from django.db import models

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class ProviderKey(PublicModel):
    """One account at a provider. Edits with a workspace's own key cost no credits.

    workspace   None: the portal's own, for edits that cost credits
    secret      already encrypted, and never shown again (see `access/accounts.py`)
    last_four   the part of the key that users see
    checked_at  when the provider last accepted the key; None until it does, and once it rejects it
    note        the result of the last test, for users
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="provider_keys"
    )
    provider = models.CharField(max_length=20)
    secret = models.BinaryField()
    last_four = models.CharField(max_length=4)
    is_enabled = models.BooleanField("Enabled", default=True)
    checked_at = models.DateTimeField("Accepted by the provider", null=True, blank=True)
    note = models.CharField("Last test", max_length=500, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["workspace", "provider"], name="provider_key_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider} ··· {self.last_four}"
