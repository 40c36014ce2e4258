from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0018_default_plan_stays")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="door",
            field=models.CharField(
                choices=[
                    ("web", "Studio"),
                    ("api", "API"),
                    ("mcp", "MCP"),
                    ("bfl", "BFL-compatible API"),
                    ("wiro", "Wiro-compatible API"),
                    ("openai", "OpenAI-compatible API"),
                ],
                default="web",
                help_text="Where it came in.",
                max_length=10,
            ),
        ),
    ]
