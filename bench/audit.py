"""The audit log with a million entries: `make bench-audit`. Takes about two minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from bench import pages
from bench.pages import Ask
from bench.portal import OWNER, SLUG, WORKSPACE, running_portal
from tests.e2e.portal import Portal

ENTRIES = 1_000_000
DAYS = 400
BAR = 150  # milliseconds
_PAGE = f"/w/{SLUG}/settings/audit/"
_ADMIN = "/admin/editor/auditentry/"

_PEOPLE = """
INSERT INTO editor_user (id, password, is_superuser, email, name, is_active, is_staff, date_joined)
SELECT gen_random_uuid(), '', false, 'person' || n || '@example.test', 'Person ' || n, true, false, now()
FROM generate_series(1, 20) AS n
"""
_MEMBERS = """
INSERT INTO editor_membership (workspace_id, user_id, role, access_image_editor, created_at)
SELECT workspace.id, person.id, 'editor', true, now()
FROM editor_workspace AS workspace, editor_user AS person WHERE person.email LIKE 'person%%'
"""
# Of 400 days. Person 1 did half of it, person 20 a few hundred; of webhooks there are a few hundred.
_ENTRIES = """
INSERT INTO editor_auditentry
    (workspace_id, actor_id, actor_kind, actor_name, action, target, data, before, after, ip, created_at)
SELECT workspace.id, people.ids[1 + floor(20 * power((n::bigint * 7919 %% 100003) / 100003.0, 4))::int],
    'member', 'x',
    CASE
        WHEN n %% 2500 = 0 THEN 'webhook.changed'
        WHEN n %% 50 = 0 THEN 'membership.changed'
        WHEN n %% 7 = 0 THEN 'share.created'
        WHEN n %% 3 = 0 THEN 'account.signed_in'
        ELSE 'images.trashed'
    END,
    'person' || n %% 20 + 1 || '@example.test', '{"images": 3, "days": 7}', '{"role": "editor"}',
    '{"role": "viewer"}', '203.0.113.9', now() - n * interval '34.56 seconds'
FROM generate_series(1, %s) AS n, editor_workspace AS workspace,
    (SELECT array_agg(id ORDER BY length(email), email) AS ids FROM editor_user
        WHERE email LIKE 'person%%') AS people
"""


def main() -> None:
    with running_portal("--no-worker") as portal:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=1000)
        _fill(portal)
        client = pages.sign_in(portal)
        title = f"Server time with {ENTRIES:,} entries in the audit log"
        pages.show(title, portal, client, _asks())


def _fill(portal: Portal) -> None:
    with portal.connect() as connection:
        connection.execute(_PEOPLE)
        connection.execute(_MEMBERS)
        connection.execute(_ENTRIES, [ENTRIES])
    with portal.connect() as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def _asks() -> list[Ask]:
    middle = datetime.now(UTC) - timedelta(days=DAYS / 2)
    days = {"from": f"{middle - timedelta(days=7):%Y-%m-%d}", "until": f"{middle:%Y-%m-%d}"}
    deep = f"{int(middle.timestamp())}000000.{ENTRIES // 2}"

    def ask(what: str, url: str = _PAGE, **query: str) -> Ask:
        return Ask(what, f"{url}?{urlencode(query)}", BAR)

    return [
        ask("Audit log"),
        Ask("Audit log, older, from the middle", f"{_PAGE}?older={deep}", BAR, htmx=True),
        ask("Audit log, a common action", group="images"),
        ask("Audit log, a rare action", group="webhooks"),
        ask("Audit log, actions that did not occur", group="settings"),
        ask("Audit log, a week in the middle", **days),
        ask("Audit log, a rare action in that week", group="webhooks", **days),
        ask("Audit log, a busy person", by="person1@example.test"),
        ask("Audit log, a person seldom here", by="person20@example.test"),
        ask("Audit log, a busy person, a rare action", by="person1@example.test", group="webhooks"),
        ask(
            "Audit log, a busy person, actions that did not occur", by="person1@example.test", group="credits"
        ),
        ask("Audit log, a person seldom here, a common action", by="person20@example.test", group="images"),
        ask("Audit log, five people, three actions", by="person", group="images"),
        ask("Audit log, nobody", by="xylophone"),
        Ask("Audit log, the start of its CSV file", f"{_PAGE}csv/", BAR, start=True),
        Ask("Audit log, of the CSV file of a rare action", f"{_PAGE}csv/?group=webhooks", BAR, start=True),
        ask("All workspaces", _ADMIN),
        ask("All workspaces, a common action", _ADMIN, group="images"),
        ask("All workspaces, a rare action", _ADMIN, group="webhooks"),
        ask("All workspaces, a person seldom here", _ADMIN, by="person20@example.test"),
        ask("All workspaces, a week in the middle", _ADMIN, **days),
        ask("All workspaces, one of them, a rare action", _ADMIN, workspace=SLUG, group="webhooks"),
    ]


if __name__ == "__main__":
    main()
