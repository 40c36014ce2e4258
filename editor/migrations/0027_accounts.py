"""A changed email waits until it is confirmed. Everybody signs in again, so that all sessions are listed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0026_teams"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="pending_email",
            field=models.EmailField(
                blank=True,
                db_default="",
                help_text="Replaces the email once it is confirmed.",
                max_length=254,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="password_changed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL("DELETE FROM django_session", migrations.RunSQL.noop),
    ]
