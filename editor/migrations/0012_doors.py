from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("editor", "0011_public_api")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE editor_job_number AS bigint", "DROP SEQUENCE editor_job_number"),
        migrations.AddField(
            model_name="job",
            name="number",
            field=models.BigIntegerField(
                db_default=models.Func(models.Value("editor_job_number"), function="nextval"),
                editable=False,
                help_text="For programs that name tasks by whole numbers.",
                unique=True,
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="callback_url",
            field=models.CharField(blank=True, help_text="Told of its end.", max_length=2083),
        ),
        migrations.AddField(
            model_name="job",
            name="callback_secret",
            field=models.BinaryField(
                blank=True, help_text="Encrypted; what it is told is signed with this.", null=True
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="origin",
            field=models.CharField(
                blank=True, help_text="Scheme and host that links in what is told begin with.", max_length=300
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="signing_secret",
            field=models.BinaryField(
                blank=True,
                help_text="Encrypted. A key that has one signs its requests, in Wiro's way, and works there alone.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="SpentNonce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "call",
                    models.CharField(
                        help_text="What was called: a captured signature fits nothing else.", max_length=20
                    ),
                ),
                ("nonce", models.CharField(max_length=40)),
                ("body_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="nonces", to="editor.apikey"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "call", "nonce"), name="nonce_once")],
            },
        ),
    ]
