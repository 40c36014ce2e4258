# The four migrations before it each know only their own events of webhooks.

import django.contrib.postgres.fields
from django.db import migrations, models

EVENTS = [
    ("job.completed", "Edit completed"),
    ("job.failed", "Edit failed"),
    ("job.canceled", "Edit canceled"),
    ("approval.requested", "Approval requested"),
    ("approval.granted", "Approval granted"),
    ("approval.declined", "Approval declined"),
    ("credits.low", "Credits low"),
    ("budget.reached", "Part of the monthly budget spent"),
    ("webhook.test", "Test event"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0030_allowances_and_notices"),
        ("editor", "0030_approvals"),
        ("editor", "0030_operator"),
        ("editor", "0030_usage_report"),
    ]

    operations = [
        migrations.AlterField(
            model_name="webhookdelivery",
            name="event",
            field=models.CharField(choices=EVENTS, max_length=20),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="events",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=EVENTS, max_length=20), size=None
            ),
        ),
    ]
