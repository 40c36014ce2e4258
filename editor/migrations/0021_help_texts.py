"""Words of the admin, of events and of errors; nothing in the database changes."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("editor", "0020_job_samples"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="public_id",
            field=models.CharField(help_text="The part shown in lists.", max_length=8, unique=True),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                help_text="The rotated key that this one replaces.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replacement",
                to="editor.apikey",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="signing_secret",
            field=models.BinaryField(
                blank=True,
                help_text="Encrypted. Only for keys with signed requests.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(help_text='A stable code, e.g. "credits.granted".', max_length=60),
        ),
        migrations.AlterField(
            model_name="creditaccount",
            name="low_mark",
            field=models.PositiveIntegerField(
                default=50,
                help_text="Webhook endpoints are notified when the balance falls below this. Set 0 to turn off.",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="access_image_editor",
            field=models.BooleanField(
                default=True, help_text="Can this person run edits?", verbose_name="Access Image Editor"
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="monthly_cap",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Credits this person can spend per month. Leave empty for no limit.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="modelalias",
            name="name",
            field=models.CharField(
                help_text="What clients send as the model, for example gpt-image-2.",
                max_length=100,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Za-z0-9][A-Za-z0-9._:-]*\\Z",
                        "Use only letters, digits, dots, colons, dashes and underscores.",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="concurrent_jobs",
            field=models.PositiveIntegerField(
                default=100, help_text="Edits that can be queued or running at the same time."
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="own_keys",
            field=models.BooleanField(default=True, help_text="Can the workspace use its own provider keys?"),
        ),
        migrations.AlterField(
            model_name="plan",
            name="requests_per_minute",
            field=models.PositiveIntegerField(
                default=60, help_text="Requests per minute that the workspace's API keys can make together."
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="storage_bytes",
            field=models.PositiveBigIntegerField(
                blank=True,
                db_default=10737418240,
                default=10737418240,
                help_text="Bytes that a workspace's images can use, including its trash. Leave empty for no limit.",
                null=True,
                verbose_name="storage",
            ),
        ),
        migrations.AlterField(
            model_name="style",
            name="preview",
            field=models.CharField(
                blank=True, help_text="Path of a static file. Leave empty for a plain tile.", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="style",
            name="prompt",
            field=models.TextField(help_text="Added to the end of the prompt.", max_length=1000),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="event",
            field=models.CharField(
                choices=[
                    ("job.completed", "Edit completed"),
                    ("job.failed", "Edit failed"),
                    ("job.canceled", "Edit canceled"),
                    ("credits.low", "Credits low"),
                    ("webhook.test", "Test event"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="events",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("job.completed", "Edit completed"),
                        ("job.failed", "Edit failed"),
                        ("job.canceled", "Edit canceled"),
                        ("credits.low", "Credits low"),
                        ("webhook.test", "Test event"),
                    ],
                    max_length=20,
                ),
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="note",
            field=models.CharField(blank=True, help_text="Why the portal disabled it.", max_length=200),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="user_email_unique",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                name="user_email_unique",
                violation_error_message="An account with this email already exists.",
            ),
        ),
    ]
