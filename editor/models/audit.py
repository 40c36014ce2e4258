"""The audit log: who changed what, or signed in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.workspaces import Workspace


class AuditEntry(models.Model):
    """One entry of the audit log. Rows are only ever added; see migrations 0002 and 0026.

    workspace   None: it concerns an account or the portal as a whole
    actor_name  stays when the account is deleted
    """

    class ActorKind(models.TextChoices):
        MEMBER = "member", "Member"
        KEY = "key", "API key"
        OPERATOR = "operator", "Operator"
        SYSTEM = "system", "System"
        VISITOR = "visitor", "Visitor"  # not signed in

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="audit_entries",
        db_index=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    actor_kind = models.CharField(
        max_length=10, choices=ActorKind, default=ActorKind.SYSTEM, db_default=ActorKind.SYSTEM
    )
    actor_name = models.CharField(max_length=254, blank=True, db_default="")
    action = models.CharField(max_length=60, help_text='A stable code, e.g. "credits.granted".')
    target = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    before = models.JSONField(null=True, blank=True, help_text="Changed values, by name, without secrets.")
    after = models.JSONField(null=True, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = (
            models.CheckConstraint(
                condition=Q(actor_kind__in=["member", "key", "operator", "system", "visitor"]),
                name="audit_actor_kind_known",
            ),
        )
        # Lists are sorted by time: of a workspace or of all, of one action, or of one person.
        indexes = (
            models.Index(fields=["workspace", "-created_at", "-id"], name="audit_by_time"),
            models.Index(fields=["workspace", "action", "-created_at", "-id"], name="audit_by_action"),
            models.Index(fields=["actor", "-created_at", "-id"], name="audit_by_person"),
            models.Index(fields=["-created_at", "-id"], name="audit_everywhere"),
            models.Index(fields=["action", "-created_at", "-id"], name="audit_everywhere_action"),
        )

    def __str__(self) -> str:
        return self.action
