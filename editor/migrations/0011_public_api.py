from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0010_api_key_rotation")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="request_hash",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of the request that came with the key; see idempotency.py.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=["workspace", "status", "-created_at", "-id"], name="job_recent_by_status"
            ),
        ),
    ]
