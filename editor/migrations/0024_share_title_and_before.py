from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0023_search_entries")]

    operations = [
        migrations.AddField(
            model_name="sharelink",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="sharelink",
            name="before",
            field=models.ForeignKey(
                blank=True,
                help_text="The image before the edit, if it is shown as well.",
                null=True,
                on_delete=models.deletion.SET_NULL,
                related_name="+",
                to="editor.image",
            ),
        ),
    ]
