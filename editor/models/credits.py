"""The ledger: grants, adjustments and charges of credits."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from editor.models.jobs import Job
from editor.models.workspaces import Workspace


class CreditAccount(models.Model):
    """A workspace's credits.

    `balance` can be spent; `held` belongs to jobs that have not ended. Both always equal the
    sums of the ledger's entries, and neither can go below zero.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.PROTECT, related_name="credit_account", primary_key=True
    )
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    low_balance_threshold = models.PositiveIntegerField(
        default=50,
        help_text="Webhook endpoints are notified when the balance falls below this. Set 0 to turn off.",
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(balance__gte=0), name="credit_balance_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="credit_held_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.workspace}: {self.balance} (+{self.held} held)"


class LedgerEntry(models.Model):
    """One change of credits. Rows are only ever added; a trigger rejects anything else.

    kind     reason          balance   held
    grant    granted         +n
    adjust   corrected       +n or -n
    hold     job starts      -price    +price
    settle   job completed   +rest     -price     (rest = price - cost)
    release  no results      +price    -price
    """

    class Kind(models.TextChoices):
        GRANT = "grant", "Grant"
        ADJUST = "adjust", "Adjustment"
        HOLD = "hold", "Edit"
        SETTLE = "settle", "Settled"
        RELEASE = "release", "Refund"

    account = models.ForeignKey(CreditAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.BigIntegerField(help_text="Change of the balance, in credits.")
    held_amount = models.BigIntegerField(default=0, help_text="Change of what is held, in credits.")
    balance_after = models.BigIntegerField()
    held_after = models.BigIntegerField()
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger_entries"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = (
            models.UniqueConstraint(fields=["kind", "job"], name="ledger_kind_once_a_job"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(kind__in=["settle", "release"]), name="ledger_hold_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="grant", job__isnull=True, amount__gt=0, held_amount=0)
                | Q(kind="adjust", job__isnull=True, held_amount=0) & ~Q(amount=0)
                | Q(kind="hold", job__isnull=False, amount__lte=0, held_amount=-F("amount"))
                | Q(kind="settle", job__isnull=False, amount__gte=0, held_amount__lte=0)
                & Q(amount__lte=-F("held_amount"))
                | Q(kind="release", job__isnull=False, amount__gte=0, held_amount=-F("amount")),
                name="ledger_entry_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0, held_after__gte=0), name="ledger_never_negative"
            ),
        )
        indexes = (models.Index(fields=["account", "-id"], name="ledger_recent"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
