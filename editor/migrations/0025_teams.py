import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models

# The ledger and the audit log stay append-only. Two deletions are possible, each only for a transaction
# that names it: all rows of a workspace that is purged, and audit entries older than they have to be kept.
ALLOW_PURGE = """
CREATE OR REPLACE FUNCTION editor_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    purged text := nullif(current_setting('editor.purged_workspace', true), '');
    kept_since text := nullif(current_setting('editor.audit_kept_since', true), '');
BEGIN
    -- The person behind a row is gone (ON DELETE SET NULL).
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
       AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'editor_ledgerentry' AND to_jsonb(OLD)->>'account_id' = purged THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'editor_auditentry'
       AND (to_jsonb(OLD)->>'workspace_id' = purged OR OLD.created_at < kept_since::timestamptz) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME;
END $$;
"""

FORBID_PURGE = """
CREATE OR REPLACE FUNCTION editor_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The one change allowed: the person behind a row is gone (ON DELETE SET NULL).
    IF TG_OP = 'UPDATE' AND NEW.actor_id IS NULL
       AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0024_share_title_and_before"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerAddress",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("editor", "Editor"),
                            ("viewer", "Viewer"),
                        ],
                        default="editor",
                        max_length=10,
                    ),
                ),
                (
                    "access_image_editor",
                    models.BooleanField(default=True, verbose_name="Access Image Editor"),
                ),
                (
                    "monthly_cap",
                    models.PositiveIntegerField(blank=True, help_text="Credits per month.", null=True),
                ),
                ("message", models.CharField(blank=True, max_length=500)),
                ("nonce", models.CharField(max_length=22)),
                (
                    "sent_at",
                    models.DateTimeField(blank=True, help_text="When the last mail was queued.", null=True),
                ),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="apikey",
            name="expiry_mailed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="actor_kind",
            field=models.CharField(
                choices=[
                    ("member", "Member"),
                    ("key", "API key"),
                    ("operator", "Operator"),
                    ("system", "System"),
                    ("visitor", "Visitor"),
                ],
                db_default="system",
                default="system",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="actor_name",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="after",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="before",
            field=models.JSONField(
                blank=True, help_text="Changed values, by name, without secrets.", null=True
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="last_active_at",
            field=models.DateTimeField(
                blank=True, help_text="Last page or API call in the workspace, to the minute.", null=True
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="seats",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Members and open invitations together. Leave empty for no limit.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="is_service_account",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Acts for a workspace's own API key. It has no password and cannot sign in.",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True, db_default="", help_text="Empty: the browser's.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="default_model",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="A model or tier. Leave empty for the catalogue's.",
                max_length=80,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="deleted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="workspace",
            name="deleted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="picture_name",
            field=models.CharField(
                blank=True, db_default="", help_text="Its name in the file storage.", max_length=300
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="public_sharing",
            field=models.CharField(
                choices=[
                    ("editors", "Everyone who can edit images"),
                    ("managers", "Owners and admins"),
                    ("nobody", "Nobody"),
                ],
                db_default="editors",
                default="editors",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="second_factor_required",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Members without a second factor have to set one up first.",
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="trash_days",
            field=models.PositiveSmallIntegerField(
                db_default=30, default=30, help_text="Days that images stay in the trash."
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="target",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="workspace",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="audit_entries",
                to="editor.workspace",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "action", "-id"], name="audit_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "actor", "-id"], name="audit_by_actor"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["workspace", "-created_at", "-id"], name="audit_by_time"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["created_at"], name="audit_age"),
        ),
        migrations.AddConstraint(
            model_name="auditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor_kind__in", ["member", "key", "operator", "system", "visitor"])),
                name="audit_actor_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("public_sharing__in", ["editors", "managers", "nobody"])),
                name="workspace_sharing_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("trash_days__gte", 1), ("trash_days__lte", 365)),
                name="workspace_trash_days_in_range",
            ),
        ),
        migrations.AddField(
            model_name="formeraddress",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="former_addresses",
                to="editor.workspace",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="editor.workspace"
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                models.F("workspace"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("accepted_at__isnull", True), ("revoked_at__isnull", True)),
                name="invitation_one_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["admin", "editor", "viewer"])), name="invitation_role_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("revoked_at__isnull", True), ("accepted_at__isnull", True), _connector="OR"
                ),
                name="invitation_ends_once",
            ),
        ),
        migrations.RunSQL(ALLOW_PURGE, FORBID_PURGE),
    ]
