from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0021_words")]

    operations = [
        migrations.RenameField("creditaccount", "low_mark", "low_balance_threshold"),
        migrations.RemoveConstraint("job", "job_idempotency_once"),
        migrations.RenameField("job", "door", "channel"),
        migrations.AddConstraint(
            "job",
            models.UniqueConstraint(
                fields=["workspace", "channel", "idempotency_key"], name="job_idempotency_once"
            ),
        ),
        migrations.AlterField(
            "job",
            "tried_providers",
            models.JSONField(default=list, blank=True, help_text="Providers that did not accept it."),
        ),
    ]
