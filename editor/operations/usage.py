"""What was spent, added up by day. The only writer of DailyUsage."""

from __future__ import annotations

from django.db.models import F

from editor.models import DailyUsage, Job, Status


def add(*, job: Job, cost: int) -> None:
    """Count an edit that has just ended; `cost`: the credits that it was charged.

    The caller holds the lock of the workspace's account, so that no two add the same row.
    """
    done = job.status == Status.COMPLETED
    # The person and the key may have been deleted while the edit ran.
    user_id, key_id = Job.objects.values_list("created_by", "api_key").get(pk=job.pk)
    row = {
        "account_id": job.workspace_id,
        "day": job.spent_on,
        "user_id": user_id,
        "api_key_id": key_id,
        "model": job.model,
        "channel": job.channel,
        "provider": job.provider,
        "approved": job.approved,
    }
    figures = {"edits": int(done), "failed": int(not done), "credits": cost, "returned": job.price - cost}
    changes = {name: F(name) + value for name, value in figures.items()}
    # Rows of people who have been deleted may have become alike: one of them.
    alike = DailyUsage.objects.filter(**row).values("pk")[:1]
    if not DailyUsage.objects.filter(pk__in=alike).update(**changes):
        DailyUsage.objects.create(**row, **figures)
