import django.core.validators
from django.db import migrations, models

ALIASES = {
    "chatgpt-image-latest": "openai/gpt-image-2.6-sunburst",
    "dall-e-2": "openai/gpt-image-1-mini",
    "dall-e-3": "openai/gpt-image-2.6-flare",
    "gpt-image-1": "openai/gpt-image-2.6-flare",
    "gpt-image-1-mini": "openai/gpt-image-1-mini",
    "gpt-image-1.5": "openai/gpt-image-2.6-flare",
    "gpt-image-2": "openai/gpt-image-2.6-flare",
    "gpt-image-2.6-flare": "openai/gpt-image-2.6-flare",
    "gpt-image-2.6-sunburst": "openai/gpt-image-2.6-sunburst",
}


def create(apps, schema_editor):
    aliases = apps.get_model("editor", "ModelAlias").objects
    for name, target in ALIASES.items():
        aliases.create(name=name, target=target)


class Migration(migrations.Migration):
    dependencies = [("editor", "0012_doors")]

    operations = [
        migrations.CreateModel(
            name="ModelAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What clients send as the model, for example gpt-image-2.",
                        max_length=100,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                r"\A[A-Za-z0-9][A-Za-z0-9._:-]*\Z",
                                "A name has letters, digits, dots, colons, dashes and underscores.",
                            )
                        ],
                    ),
                ),
                (
                    "target",
                    models.CharField(help_text="A model of the catalogue, or a tier.", max_length=120),
                ),
            ],
            options={"ordering": ("name",), "verbose_name_plural": "model aliases"},
        ),
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
