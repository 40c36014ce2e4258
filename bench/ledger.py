"""Credits & usage with a million entries in the ledger: `make bench-ledger`. Takes a few minutes.

Pages, filters, the chart and the start of the CSV files are measured against their bar. The proof and the
whole CSV file take longer: how long, and how the proof reports its progress, is printed.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter
from urllib.parse import urlencode

from bench import pages, table
from bench.pages import Ask
from bench.portal import HTMX, OWNER, SLUG, WORKSPACE, running_portal
from tests.e2e.client import Client
from tests.e2e.portal import Portal

ENTRIES = 1_000_000
DAYS = 400
BAR = 150  # milliseconds
_PAGE = f"/w/{SLUG}/credits/"

_PEOPLE = """
INSERT INTO editor_user (id, password, is_superuser, email, name, is_active, is_staff, date_joined,
    is_service_account)
SELECT gen_random_uuid(), '', false, 'person' || n || '@example.test', 'Person ' || n, true, false, now(),
    false
FROM generate_series(1, 20) AS n
"""
_MEMBERS = """
INSERT INTO editor_membership (workspace_id, user_id, role, access_image_editor, created_at)
SELECT workspace.id, person.id, 'editor', true, now()
FROM editor_workspace AS workspace, editor_user AS person WHERE person.email LIKE 'person%%'
"""
# Of 400 days. Person 1 did half of it, person 20 a few hundred; one model and channel are rare, and
# one edit in ten failed, one in fifty of those was canceled.
_JOBS = """
INSERT INTO editor_job (id, created_at, workspace_id, created_by_id, channel, callback_url, origin,
    request_hash, model, tier, prompt, sent_prompt, inputs, provider, target, tried_providers, own_key,
    price, charged, spent_on, status, stage, time_limit, provider_state, error_code, error,
    submitting_at, started_at, finished_at)
SELECT gen_random_uuid(), at, workspace.id, people.ids[1 + floor(20 * power(chance, 4))::int],
    CASE WHEN n %% 5000 = 0 THEN 'mcp' WHEN n %% 3 = 0 THEN 'api' ELSE 'web' END, '', '', '',
    CASE
        WHEN n %% 4000 = 0 THEN 'black-forest-labs/flux-kontext-max'
        WHEN n %% 3 = 0 THEN 'black-forest-labs/flux-2-pro'
        ELSE 'black-forest-labs/flux-kontext-pro'
    END, '', 'make it warmer ' || n, '', '{}', 'sandbox', 'sandbox', '[]', false,
    4, CASE WHEN n %% 10 = 0 THEN 0 ELSE 4 END, (at AT TIME ZONE 'UTC')::date,
    CASE WHEN n %% 500 = 0 THEN 'canceled' WHEN n %% 10 = 0 THEN 'failed' ELSE 'completed' END,
    CASE
        WHEN n %% 500 = 0 THEN 'task_cancel'
        WHEN n %% 10 = 0 THEN 'task_error'
        ELSE 'task_postprocess_end'
    END,
    60, '{}', '', '', at, at, at + interval '3 seconds'
FROM (
    SELECT n, (n::bigint * 7919 %% 100003) / 100003.0 AS chance,
        now() - interval '5 minutes' - (%(jobs)s - n) * interval '400 days' / %(jobs)s AS at
    FROM generate_series(1, %(jobs)s) AS n
) AS numbered, editor_workspace AS workspace,
    (SELECT array_agg(id ORDER BY length(email), email) AS ids FROM editor_user
        WHERE email LIKE 'person%%') AS people
"""
# Each edit's hold is followed by its end; before them, an operator gave enough for all.
_ENTRIES = """
INSERT INTO editor_ledgerentry (account_id, kind, amount, held_amount, balance_after, held_after, job_id,
    actor_id, note, model, channel, created_at)
SELECT account_id, kind, amount, held, sum(amount) OVER running, sum(held) OVER running, job_id, actor_id, '',
    model, channel, at
FROM (
    SELECT workspace.id AS account_id, 'grant' AS kind, 5 * %(jobs)s AS amount, 0 AS held,
        NULL::uuid AS job_id, NULL::uuid AS actor_id, '' AS model, '' AS channel,
        now() - interval '401 days' AS at, 0 AS part
    FROM editor_workspace AS workspace
    UNION ALL
    SELECT workspace_id, 'hold', -price, price, id, created_by_id, model, channel, created_at, 1
    FROM editor_job
    UNION ALL
    SELECT workspace_id, CASE WHEN charged > 0 THEN 'settle' ELSE 'release' END, price - charged, -price, id,
        NULL, '', '', created_at, 2
    FROM editor_job
) AS movement
WINDOW running AS (ORDER BY at, job_id, part ROWS UNBOUNDED PRECEDING)
ORDER BY at, job_id, part
"""
_USAGE = """
INSERT INTO editor_dailyusage (account_id, day, user_id, api_key_id, model, channel, provider, approved,
    edits, failed, credits, returned)
SELECT workspace_id, spent_on, created_by_id, api_key_id, model, channel, provider, approved,
    count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status <> 'completed'),
    sum(charged), sum(price - charged)
FROM editor_job GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_ACCOUNT = """
UPDATE editor_creditaccount SET balance = newest.balance_after, held = newest.held_after
FROM (SELECT * FROM editor_ledgerentry ORDER BY id DESC LIMIT 1) AS newest
"""


def main(entries: int = ENTRIES) -> None:
    with running_portal("--no-worker") as portal:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=0)
        fill(portal, entries=entries)
        client = pages.sign_in(portal)
        timings = pages.measure(portal, client, _asks(portal))
        table.show(
            f"Server time with {entries:,} entries in the ledger, milliseconds "
            f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
            ("request", "min", "median", "max", "bar", "queries", "KB"),
            [
                (
                    timing.ask.what,
                    f"{timing.least:.0f}",
                    f"{timing.middle:.0f}" + ("" if timing.middle < BAR else " OVER"),
                    f"{timing.most:.0f}",
                    str(BAR),
                    str(timing.queries),
                    f"{timing.size / 1000:.0f}",
                )
                for timing in timings
            ],
        )
        _csv(client)
        _proof(client)
        started = perf_counter()
        told = portal.manage("ledger", "verify", "--all").strip()
        sys.stdout.write(f"\nmanage.py ledger verify --all: {perf_counter() - started:.1f} s: {told}\n")


def fill(portal: Portal, *, entries: int) -> None:
    """Give the only workspace, whose ledger is empty, so many entries of edits by twenty people."""
    with portal.connect() as connection:
        for sql in (_PEOPLE, _MEMBERS, _JOBS, _ENTRIES, _USAGE, _ACCOUNT):
            connection.execute(sql, {"jobs": entries // 2})
    with portal.connect() as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def _asks(portal: Portal) -> list[Ask]:
    people = dict(portal.query("SELECT name, id::text FROM editor_user"))
    [(deep,)] = portal.query("SELECT (min(id) + max(id)) / 2 FROM editor_ledgerentry")
    middle = datetime.now(UTC) - timedelta(days=DAYS / 2)
    week = {"from": f"{middle - timedelta(days=7):%Y-%m-%d}", "until": f"{middle:%Y-%m-%d}"}

    def ask(what: str, *, htmx: bool = False, **query: str) -> Ask:
        return Ask(what, f"{_PAGE}?{urlencode(query)}", BAR, htmx=htmx)

    return [
        ask("Credits & usage"),
        ask("Chart by member", by="member"),
        ask("Chart of weeks by channel", by="channel", per="week"),
        ask("Chart of months by member", by="member", per="month"),
        ask("Ledger, older, from the middle", htmx=True, before=str(deep)),
        ask("Ledger, a busy person", htmx=True, person=people["Person 1"]),
        ask("Ledger, a person seldom here", htmx=True, person=people["Person 20"]),
        ask("Ledger, a common model", htmx=True, model="black-forest-labs/flux-kontext-pro"),
        ask("Ledger, a rare model", htmx=True, model="black-forest-labs/flux-kontext-max"),
        ask("Ledger, a rare channel", htmx=True, channel="mcp"),
        ask("Ledger, grants", htmx=True, kind="grant"),
        ask("Ledger, a kind that did not occur", htmx=True, kind="transfer"),
        ask("Ledger, running", htmx=True, state="running"),
        ask("Ledger, failed", htmx=True, state="failed"),
        ask("Ledger, canceled", htmx=True, state="canceled"),
        ask("Ledger, approved, which did not occur", htmx=True, state="approved"),
        ask("Ledger, a week in the middle", htmx=True, **week),
        ask(
            "Ledger, a rare model in that week", htmx=True, model="black-forest-labs/flux-kontext-max", **week
        ),
        ask("Ledger, a person seldom here, failed", htmx=True, person=people["Person 20"], state="failed"),
        ask("Ledger, a busy person, canceled", htmx=True, person=people["Person 1"], state="canceled"),
        Ask("CSV of the chart", f"{_PAGE}usage-csv/?by=member&per=month", BAR),
    ]


def _csv(client: Client) -> None:
    started = perf_counter()
    with client.http.stream("GET", f"{_PAGE}csv/") as answer:
        parts = answer.iter_bytes()
        next(parts)
        first = 1000 * (perf_counter() - started)
        size = sum(len(part) for part in parts)
    over = "" if first < BAR else " OVER"
    sys.stdout.write(
        f"\nCSV of the ledger: starts after {first:.0f} ms{over} (bar {BAR}), "
        f"{size / 1e6:.0f} MB in {perf_counter() - started:.0f} s\n"
    )


def _proof(client: Client) -> None:
    """As the page does it: each response says how to go on."""
    token, steps, started = "", [], perf_counter()
    while True:
        began = perf_counter()
        headers = {"X-CSRFToken": client.http.cookies["csrftoken"]} | HTMX
        answer = client.http.post(f"{_PAGE}proof/", data={"token": token}, headers=headers)
        steps.append(perf_counter() - began)
        found = re.search(r'name="token"\s+value="([^"]*)"', answer.text)
        assert answer.status_code == 200 and found, answer.text[:2000]
        token = found[1]
        if not token:
            break
    assert "matches" in answer.text, answer.text
    sys.stdout.write(
        f"\nProof on the page: {perf_counter() - started:.1f} s in {len(steps)} steps with progress, "
        f"the longest {max(steps):.1f} s\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
