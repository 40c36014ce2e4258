import django.db.models.deletion
from django.db import migrations, models


# An image counts until its files are gone for good. Whatever changes its row, a cascade too, changes
# the account in the same transaction.
COUNT = """
CREATE FUNCTION editor_count_storage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.purged_at IS NULL THEN
        UPDATE editor_storageaccount SET stored = stored - OLD.size - OLD.thumbnail_size
        WHERE workspace_id = OLD.workspace_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.purged_at IS NULL THEN
        INSERT INTO editor_storageaccount (workspace_id, stored)
        VALUES (NEW.workspace_id, NEW.size + NEW.thumbnail_size)
        ON CONFLICT (workspace_id) DO UPDATE
        SET stored = editor_storageaccount.stored + EXCLUDED.stored;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER image_storage AFTER INSERT OR DELETE OR
    UPDATE OF size, thumbnail_size, purged_at, workspace_id ON editor_image
    FOR EACH ROW EXECUTE FUNCTION editor_count_storage();
INSERT INTO editor_storageaccount (workspace_id, stored)
    SELECT workspace.id, coalesce(sum(image.size), 0)
    FROM editor_workspace AS workspace
    LEFT JOIN editor_image AS image ON image.workspace_id = workspace.id AND image.purged_at IS NULL
    GROUP BY workspace.id;
"""

FORGET = """
DROP TRIGGER image_storage ON editor_image;
DROP FUNCTION editor_count_storage();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0015_one_address_per_person"),
    ]

    operations = [
        migrations.CreateModel(
            name="StorageAccount",
            fields=[
                (
                    "workspace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="storage",
                        serialize=False,
                        to="editor.workspace",
                    ),
                ),
                ("stored", models.PositiveBigIntegerField(db_default=0, default=0, help_text="Bytes.")),
            ],
        ),
        migrations.AddField(
            model_name="image",
            name="thumbnail_size",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Bytes of all its thumbnails; 0 where nobody counted them."
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="storage_bytes",
            field=models.PositiveBigIntegerField(
                blank=True,
                db_default=10737418240,
                default=10737418240,
                help_text="Bytes that a workspace's images may take up, with those in its trash; empty for no limit.",
                null=True,
                verbose_name="storage",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="received_size",
            field=models.PositiveBigIntegerField(
                blank=True,
                help_text="Bytes that came; unknown where the storage itself takes the file.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="upload",
            name="declared_size",
            field=models.PositiveBigIntegerField(
                blank=True, help_text="Bytes, by the sender's word: kept free until it is used.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="error",
            field=models.TextField(blank=True, help_text="Or what a completed job lacks."),
        ),
        migrations.RunSQL(COUNT, FORGET),
    ]
