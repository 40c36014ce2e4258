"""All rows that an act can change, for comparing before and after."""

from __future__ import annotations

from typing import Any

from django.db import connection

from editor.models import (
    ApiKey,
    Approval,
    AuditEntry,
    CreditAccount,
    DailyUsage,
    Job,
    JobEvent,
    LedgerEntry,
    Membership,
    ModelSetting,
    Notice,
    Plan,
    Quote,
    RouteSetting,
    UsageRule,
    User,
    Workspace,
)

_WHOLE = (Job, Approval, CreditAccount, DailyUsage, Workspace, Membership, Plan, UsageRule, ModelSetting)
# Of these, rows are only added and deleted, or what changes in them moves no credits.
_COUNTED = (LedgerEntry, JobEvent, AuditEntry, Notice, Quote, RouteSetting, User)


def state() -> list[Any]:
    rows: list[Any] = [list(model.objects.order_by("pk").values_list()) for model in _WHOLE]
    rows.append(list(ApiKey.objects.order_by("pk").values_list("monthly_cap", "daily_cap", "revoked_at")))
    counts = ", ".join(f"(SELECT count(*) FROM {model._meta.db_table})" for model in _COUNTED)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return [*rows, cursor.fetchone()]
