"""The ledger: grants, adjustments and charges of credits."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from editor.models.jobs import Job
from editor.models.workspaces import Workspace

HOLDS = Q(kind="hold")
LINES = ~Q(kind__in=["settle", "release"])  # what the ledger's page shows as a line


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
    allowance_period = models.DateField(
        null=True, blank=True, help_text="The first day of the month whose credits were given last."
    )
    allowance = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        help_text="Monthly credits of that month, with those that stayed of earlier ones.",
    )
    budget_month = models.DateField(
        null=True,
        blank=True,
        help_text="The first day of the month in which a part of the budget was reached.",
    )
    budget_percent = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="The largest part of that month's budget that was announced."
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
    grant      granted             +n
    adjust     corrected           +n or -n
    allowance  a month began       +n
    expire     a month ended       -n                   (of the plan's monthly credits, not spent)
    transfer   between workspaces  +n or -n             (one entry in each)
    hold       job starts          -price    +price
    settle     job completed       +rest     -price     (rest = price - cost)
    release    no results          +price    -price

    A hold repeats what the ledger is filtered by, since it is never changed; jobs are.
    """

    class Kind(models.TextChoices):
        GRANT = "grant", "Grant"
        ADJUST = "adjust", "Adjustment"
        ALLOWANCE = "allowance", "Monthly credits"
        EXPIRE = "expire", "Expired"
        TRANSFER = "transfer", "Transfer"
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
    period = models.DateField(
        null=True, blank=True, help_text="Of monthly credits and their expiry: the first day of the month."
    )
    counterpart = models.ForeignKey(
        CreditAccount,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        help_text="The other account of a transfer.",
    )
    model = models.CharField(max_length=120, blank=True, db_default="")
    channel = models.CharField(max_length=10, blank=True, db_default="")
    key = models.UUIDField(
        null=True, blank=True, help_text="The API key of a hold. It may have been deleted."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = (
            models.UniqueConstraint(fields=["kind", "job"], name="ledger_kind_once_a_job"),
            models.UniqueConstraint(fields=["account", "kind", "period"], name="ledger_period_once"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(kind__in=["settle", "release"]), name="ledger_hold_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="grant", job__isnull=True, amount__gt=0, held_amount=0)
                | Q(kind="adjust", job__isnull=True, held_amount=0) & ~Q(amount=0)
                | Q(kind="allowance", job__isnull=True, amount__gt=0, held_amount=0, period__isnull=False)
                | Q(kind="expire", job__isnull=True, amount__lt=0, held_amount=0, period__isnull=False)
                | Q(kind="transfer", job__isnull=True, held_amount=0, counterpart__isnull=False)
                & ~Q(amount=0)
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
        # Pages of the ledger, where hold, settle and release of an edit are one line.
        indexes = (
            models.Index(fields=["account", "-id"], name="ledger_recent"),
            models.Index(fields=["account", "-id"], condition=LINES, name="ledger_lines"),
            models.Index(fields=["account", "created_at"], name="ledger_by_time"),
            models.Index(fields=["account", "actor", "-id"], condition=LINES, name="ledger_by_person"),
            models.Index(fields=["account", "model", "-id"], condition=HOLDS, name="ledger_by_model"),
            models.Index(fields=["account", "channel", "-id"], condition=HOLDS, name="ledger_by_channel"),
            models.Index(
                fields=["account", "key", "-id"], condition=Q(key__isnull=False), name="ledger_by_key"
            ),
            models.Index(fields=["account", "kind", "-id"], condition=LINES & ~HOLDS, name="ledger_by_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
