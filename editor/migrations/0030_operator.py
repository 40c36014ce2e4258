# What the operator's pages read: what providers took, the last day, the queue and failures over all workspaces.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0029_governance"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="provider_cost",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="US dollars that the provider says it took. Empty: it does not say.",
                max_digits=12,
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["-finished_at"],
                name="job_ended_anywhere",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("status__in", ("pending", "processing"))),
                fields=["created_at"],
                name="job_live_anywhere",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("status", "failed")), fields=["-finished_at"], name="job_failed"
            ),
        ),
    ]
