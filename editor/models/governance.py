"""What members may use, approvals of edits, and quotes of prices."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel
from editor.models.jobs import Job
from editor.models.workspaces import Membership, Role, Workspace


class UsageRule(models.Model):
    """Which models, tiers and providers may be used in a workspace, by everybody or by one role.

    An empty list allows all. A member is bound by the rule for everybody and by that of their role.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage_rules")
    role = models.CharField(max_length=10, blank=True, help_text="Empty: everybody.")
    allowed_models = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    allowed_tiers = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    allowed_providers = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["workspace", "role"], name="usage_rule_once"),
            models.CheckConstraint(condition=Q(role__in=["", *Role.values]), name="usage_rule_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.role or 'everybody'} in {self.workspace}"


class Approval(models.Model):
    """The question whether an edit over a limit may run, and its answer.

    limit, allowed, used  the limit that was in the way, in credits, when it was asked
    price                 credits that an approval is for; it is asked anew if the price has changed
    """

    class Limit(models.TextChoices):
        MEMBER_MONTH = "member_month", "Monthly cap"
        MEMBER_DAY = "member_day", "Daily cap"
        THRESHOLD = "threshold", "Limit of one edit"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        GRANTED = "granted", "Approved"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "Not answered"
        WITHDRAWN = "withdrawn", "Withdrawn"

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="approval")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="approvals")
    limit = models.CharField(max_length=20, choices=Limit)
    allowed = models.PositiveIntegerField()
    used = models.PositiveIntegerField()
    price = models.PositiveIntegerField()
    message = models.CharField(max_length=300, blank=True, help_text="Why the person asks.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    requested_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was declined.")
    raised_by = models.PositiveIntegerField(
        default=0, help_text="Credits by which the cap was raised with it."
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True)
                | ~Q(state="waiting") & Q(decided_at__isnull=False),
                name="approval_decided_has_time",
            ),
        )
        indexes = (
            models.Index(
                fields=["workspace", "requested_at"], condition=Q(state="waiting"), name="approval_waiting"
            ),
            models.Index(fields=["workspace", "-decided_at"], name="approval_decided"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} {self.state}"

    def cap_of(self, membership: Membership) -> int | None:
        """The member's cap that was in the way, as it is now; None for another limit, or if it is gone."""
        if self.limit == self.Limit.MEMBER_MONTH:
            return membership.monthly_cap
        if self.limit == self.Limit.MEMBER_DAY:
            return membership.daily_cap
        return None


class Quote(PublicModel):
    """A binding price: an edit that names it before it expires holds no more, whatever prices are by then.

    Bound to who asked for it, to the model, the provider and the number of images.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="quotes", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    model = models.CharField(max_length=120)
    tier = models.CharField(max_length=20, blank=True)
    provider = models.CharField(max_length=20)
    target = models.CharField(max_length=120)
    own_key = models.BooleanField()
    samples = models.PositiveSmallIntegerField()
    price = models.PositiveIntegerField(help_text="Credits, for all samples.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.model} {self.price}"
