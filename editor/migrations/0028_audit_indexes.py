# Lists of the audit log are sorted by time, and those of all workspaces need indexes of their own.
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0027_accounts"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="auditentry",
            name="audit_recent",
        ),
        migrations.RemoveIndex(
            model_name="auditentry",
            name="audit_by_action",
        ),
        migrations.RemoveIndex(
            model_name="auditentry",
            name="audit_by_actor",
        ),
        migrations.RemoveIndex(
            model_name="auditentry",
            name="audit_age",
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="workspace",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="audit_entries",
                to="editor.workspace",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "action", "-created_at", "-id"], name="audit_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor", "-created_at", "-id"], name="audit_by_person"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["-created_at", "-id"], name="audit_everywhere"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "-created_at", "-id"], name="audit_everywhere_action"),
        ),
    ]
