"""What was spent, by day and by everything that reports are grouped by."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.api_keys import ApiKey
from editor.models.credits import CreditAccount


class DailyUsage(models.Model):
    """The edits of one day that ended, for one combination of person, key, model, channel and provider.

    Written with the ledger's entry that ends an edit, under the account's lock, so `credits` is always the
    sum of what those edits were charged. The day is that of the edit's start; see `Job.spent_on`.

    approved  edits that were approved: they count for the workspace, not against the person's limits
    edits     that were completed
    returned  credits of edits without a result, or with fewer than requested
    """

    account = models.ForeignKey(CreditAccount, on_delete=models.CASCADE, related_name="usage", db_index=False)
    day = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    model = models.CharField(max_length=120)
    channel = models.CharField(max_length=10)
    provider = models.CharField(max_length=20)
    approved = models.BooleanField(default=False)
    edits = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    credits = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "daily usage"
        constraints = (
            models.UniqueConstraint(
                fields=["account", "day", "user", "api_key", "model", "channel", "provider", "approved"],
                name="usage_once",
            ),
        )
        indexes = (
            models.Index(fields=["account", "user", "day"], name="usage_of_person"),
            models.Index(
                fields=["account", "api_key", "day"], condition=Q(api_key__isnull=False), name="usage_of_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.model}"


class LedgerCheck(models.Model):
    """The newest comparison of an account with its entries; see `queries.proof`.

    problem  the first difference, for people; "" if everything matches
    """

    account = models.OneToOneField(
        CreditAccount, on_delete=models.CASCADE, related_name="check_result", primary_key=True
    )
    checked_at = models.DateTimeField()
    entries = models.PositiveBigIntegerField()
    milliseconds = models.PositiveIntegerField()
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.account_id} {self.problem or 'matches'}"
