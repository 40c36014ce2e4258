from django.db import migrations, models

# Attempts are JSON: [{"at": ..., "status": ..., "milliseconds": ..., "words": ...}, ...]
RENAME_KEY = """
    UPDATE editor_webhookdelivery SET attempts = (
        SELECT jsonb_agg(attempt - '{old}' || jsonb_build_object('{new}', attempt -> '{old}') ORDER BY place)
        FROM jsonb_array_elements(attempts) WITH ORDINALITY AS each (attempt, place)
    ) WHERE attempts <> '[]'
"""


class Migration(migrations.Migration):
    dependencies = [("editor", "0021_help_texts")]

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
        migrations.AlterField(
            "webhookdelivery",
            "attempts",
            models.JSONField(
                default=list,
                blank=True,
                help_text="The newest ones: time, HTTP status or null, milliseconds, message.",
            ),
        ),
        migrations.RunSQL(
            RENAME_KEY.format(old="words", new="message"), RENAME_KEY.format(old="message", new="words")
        ),
    ]
