from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0007_provider_keys")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="tried_providers",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Providers that did not take it; see operations/failover.py.",
            ),
        ),
    ]
