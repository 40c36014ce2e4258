from django.db import migrations

STYLES = [
    ("Gouache", "as a gouache painting", "styles/gouache.webp"),
    ("Pencil", "as a pencil sketch", "styles/pencil.webp"),
    ("Night", "at night", "styles/night.webp"),
    ("Pop", "as pop art", "styles/pop.webp"),
]


def create(apps, schema_editor):
    apps.get_model("editor", "Plan").objects.create(name="Standard", is_default=True)
    style = apps.get_model("editor", "Style")
    for position, (name, prompt, preview) in enumerate(STYLES):
        style.objects.create(name=name, prompt=prompt, preview=preview, position=position)


class Migration(migrations.Migration):
    dependencies = [("editor", "0003_queue_fetch_plan")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
