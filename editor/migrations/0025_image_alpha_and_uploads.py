from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("editor", "0024_share_title_and_before")]

    operations = [
        migrations.AddField(
            model_name="image",
            name="has_alpha",
            field=models.BooleanField(
                help_text="Whether any pixel is not opaque; null for images from before this was recorded.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=Q(kind__in=["source", "reference"], trashed_at__isnull=True),
                fields=["workspace", "-created_at", "-id"],
                name="image_uploads",
            ),
        ),
    ]
