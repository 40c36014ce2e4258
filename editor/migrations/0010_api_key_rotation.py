import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0009_uploads")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                help_text="The key that was rotated and that this one follows.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replacement",
                to="editor.apikey",
            ),
        ),
    ]
