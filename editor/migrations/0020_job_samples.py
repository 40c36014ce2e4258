from django.db import migrations, models

# Until now, the input called "samples" counted them.
COUNT = """
UPDATE editor_job SET samples = (inputs->>'samples')::int
    WHERE inputs->>'samples' ~ '^[1-9][0-9]{0,3}$' AND inputs->>'samples' <> '1';
"""


class Migration(migrations.Migration):
    dependencies = [("editor", "0019_channel_names")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="samples",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                help_text="How many images were asked for; the price is for all of them.",
            ),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(("samples__gte", 1)), name="job_samples_positive"
            ),
        ),
    ]
