"""API keys."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class ApiKey(PublicModel):
    """A workspace's key. Only a SHA-256 of the secret is stored; the secret is shown once."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=80)
    public_id = models.CharField(max_length=8, unique=True, help_text="The part shown in lists.")
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    signing_secret = models.BinaryField(
        null=True,
        blank=True,
        help_text="Encrypted. Only for keys with signed requests.",
    )
    replaces = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replacement",
        help_text="The rotated key that this one replaces.",
    )
    monthly_cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="Credits that can be spent with it per month. Empty: no limit."
    )
    daily_cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="Credits that can be spent with it per day. Empty: no limit."
    )
    expiry_mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def is_live(self) -> bool:
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired

    @property
    def is_replaced(self) -> bool:
        """Whether the key was rotated. A query unless `replacement` was selected with the row."""
        return hasattr(self, "replacement")


class SpentNonce(models.Model):
    """A signature that was used for a change, and for which call: see access/signatures.py."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="nonces")
    call = models.CharField(
        max_length=20, help_text="What was called: a captured signature fits nothing else."
    )
    nonce = models.CharField(max_length=40)
    body_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["key", "call", "nonce"], name="nonce_once"),)

    def __str__(self) -> str:
        return f"{self.call} {self.nonce}"
