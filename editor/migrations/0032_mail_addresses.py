# Addresses are stored with their domain in ASCII. Rows written before can have it in Unicode.

from django.db import migrations

from editor.mail_addresses import normalized

COLUMNS = (
    ("editor", "User", "email"),
    ("editor", "User", "pending_email"),
    ("editor", "Invitation", "email"),
    ("account", "EmailAddress", "email"),
)


def normalize(apps, schema_editor):
    """An account's address whose other form belongs to another account stays: an operator has to decide."""
    for app, model, column in COLUMNS:
        rows = apps.get_model(app, model).objects
        for pk, address in rows.filter(**{f"{column}__regex": "[^ -~]"}).values_list("pk", column):
            form = normalized(address)
            if model == "Invitation" or not rows.filter(**{column: form}).exists():
                rows.filter(pk=pk).update(**{column: form})


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0031_events"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [migrations.RunPython(normalize, migrations.RunPython.noop)]
