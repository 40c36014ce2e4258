from django.db import migrations

FETCH = "ALTER FUNCTION procrastinate_fetch_job_v2(varchar[], bigint)"


class Migration(migrations.Migration):
    """Keep the queue quick when many jobs wait.

    A plan that was cached while the queue's table was empty reads it whole and sorts it for
    each fetch (procrastinate issue 1242); these settings keep it on the index.
    """

    dependencies = [
        ("editor", "0002_ledger_append_only"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.RunSQL(
            [f"{FETCH} SET enable_seqscan = off", f"{FETCH} SET enable_sort = off"],
            [f"{FETCH} RESET ALL"],
        )
    ]
