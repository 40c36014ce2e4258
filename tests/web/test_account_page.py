"""The account page: name, email, sessions, appearance, what deleting the account means."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.urls import reverse

from editor.contexts import account as page_data
from editor.contexts.devices import device
from editor.models import ApiKey, AuditEntry, Role, User
from editor.operations import api_keys
from editor.queries import accounts
from tests.factories import PASSWORD, UserFactory, make_actor, make_member, make_workspace
from tests.web.factors import add_app
from tests.web.requests import HTMX, body, reauthenticated, signed_in

pytestmark = pytest.mark.django_db

ACCOUNT = reverse("account")
CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


def test_the_name_changes_at_once() -> None:
    user = UserFactory.create(name="Amara")
    client = signed_in(user)
    client.post(reverse("account_profile"), {"name": "  Amara   Okafor ", "email": user.email})
    assert "Amara Okafor" in body(client.get(ACCOUNT))
    answer = client.post(reverse("account_profile"), {"name": "x" * 121, "email": user.email})
    assert answer.status_code == 400
    assert "at most 120 characters" in body(answer)


def test_sessions_show_device_address_and_last_activity() -> None:
    user = UserFactory.create()
    reauthenticated(user, user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18 Safari/604.1")
    page = body(reauthenticated(user, user_agent=CHROME).get(ACCOUNT))
    assert page.index("Chrome on macOS") < page.index("This device") < page.index("Safari on iPhone")
    assert "127.0.0.1" in page


def test_one_session_ends_with_its_row_only_for_its_owner() -> None:
    user, stranger = UserFactory.create(), UserFactory.create()
    here, there = reauthenticated(user), reauthenticated(user)
    other = UserSession.objects.exclude(session_key=here.session.session_key).get(user=user)
    path = reverse("account_end_session", args=[other.pk])
    signed_in(stranger).post(path)
    assert there.get(ACCOUNT).status_code == 200
    page = here.post(path, headers=HTMX)
    assert body(page).count("active") == 2, "one row, and its badge"
    assert there.get(ACCOUNT).status_code == 302
    assert here.get(ACCOUNT).status_code == 200


def test_signing_out_everywhere_needs_the_password_and_keeps_this_session() -> None:
    workspace = make_workspace()
    user = make_member(workspace)
    here, there = reauthenticated(user), reauthenticated(user)
    path = reverse("account_end_sessions")
    answer = here.post(path, {"password": "wrong"}, headers=HTMX)
    assert (answer.status_code, "The password is wrong" in body(answer)) == (400, True)
    assert there.get(ACCOUNT).status_code == 200
    here.post(path, {"password": PASSWORD}, headers=HTMX)
    assert there.get(ACCOUNT).status_code == 302
    assert here.get(ACCOUNT).status_code == 200
    entry = AuditEntry.objects.get(action="account.sessions_ended")
    assert (entry.workspace, entry.data, entry.ip) == (workspace, {"count": 1}, "127.0.0.1")


def test_guessing_the_password_there_is_limited() -> None:
    client = reauthenticated(UserFactory.create())
    path = reverse("account_end_sessions")
    codes = [client.post(path, {"password": "wrong"}).status_code for _ in range(11)]
    assert codes == [400] * 10 + [429]


def test_a_password_change_ends_other_sessions() -> None:
    user = UserFactory.create()
    here, there = reauthenticated(user), reauthenticated(user)
    fields = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    assert here.post(reverse("account_change_password"), fields)["Location"] == ACCOUNT
    assert there.get(ACCOUNT).status_code == 302
    assert "Changed" in body(here.get(ACCOUNT))
    assert len(page_data.session_rows(User.objects.get(pk=user.pk), session_key=None)) == 1


def test_activity_is_written_once_in_a_while() -> None:
    user = UserFactory.create()
    client = reauthenticated(user)
    UserSession.objects.update(last_seen_at="2026-01-01T00:00:00Z")
    client.get(ACCOUNT)
    assert UserSession.objects.get(user=user).last_seen_at.year == 2026
    before = UserSession.objects.get(user=user).last_seen_at
    cache.clear()
    client.get(ACCOUNT)
    assert UserSession.objects.get(user=user).last_seen_at > before


def test_an_ended_session_is_not_listed() -> None:
    user = UserFactory.create()
    reauthenticated(user)
    Session.objects.all().delete()
    assert page_data.session_rows(user, session_key=None) == []


def test_the_time_zone_and_theme_are_remembered() -> None:
    user = UserFactory.create()
    client = signed_in(user)
    client.post(reverse("account_appearance"), {"theme": "dark", "zone": "Asia/Tokyo"})
    assert User.objects.get(pk=user.pk).time_zone == "Asia/Tokyo"
    assert (client.cookies["theme"].value, client.cookies["zone"].value) == ("dark", "Asia/Tokyo")
    assert 'data-theme="dark"' in body(client.get(ACCOUNT))
    assert reauthenticated(user).cookies["zone"].value == "Asia/Tokyo", "also in another browser"
    assert client.post(reverse("account_appearance"), {"theme": "dark", "zone": "Mars"}).status_code == 400


def test_deleting_an_account_ends_its_keys_and_keeps_its_work() -> None:
    workspace = make_workspace()
    user = make_member(workspace, role=Role.ADMIN)
    api_keys.create(
        actor=make_actor(workspace, user=user), name="Script", scopes=["image_editor"], signed=False
    )
    client = reauthenticated(user)
    assert client.post(reverse("account_delete"), {"password": "wrong"}).status_code == 400
    assert User.objects.filter(pk=user.pk).exists()
    answer = client.post(reverse("account_delete"), {"password": PASSWORD})
    assert answer["Location"] == reverse("account_deleted")
    assert "is deleted" in body(client.get(answer["Location"]))
    assert not User.objects.filter(pk=user.pk).exists()
    assert not ApiKey.objects.filter(workspace=workspace).exists()
    assert AuditEntry.objects.filter(action="account.deleted", target=user.email).exists()


def test_the_only_owner_of_a_workspace_with_others_cannot_go() -> None:
    workspace = make_workspace(name="Acme Studio")
    make_member(workspace)
    owner = workspace.members.get(memberships__role=Role.OWNER)
    client = reauthenticated(owner)
    page = body(client.get(ACCOUNT))
    assert "You are the only owner of Acme Studio" in page
    assert "delete-account" not in page
    assert client.post(reverse("account_delete"), {"password": PASSWORD}).status_code == 409
    assert User.objects.filter(pk=owner.pk).exists()


def test_the_last_operator_cannot_go() -> None:
    operator = User.objects.create_superuser("operator@example.test", PASSWORD)
    client = reauthenticated(operator)
    assert "last operator" in body(client.get(ACCOUNT))
    assert client.post(reverse("account_delete"), {"password": PASSWORD}).status_code == 409


def test_the_page_says_what_deleting_means() -> None:
    user = make_member(make_workspace(name="Acme Studio"))
    make_workspace(owner=user, name="Alone")
    view = page_data.account(user, session_key=None)
    assert (view.leaving.stay, view.leaving.alone, view.leaving.possible) == (
        ["Acme Studio"],
        ["Alone"],
        True,
    )


def test_a_few_recovery_codes_are_a_warning() -> None:
    user = UserFactory.create()
    for code in add_app(user)[:7]:
        assert page_data.factor(user).few_codes is False
        row = next(row for row in accounts.authenticators_of(user) if row.type == "recovery_codes")
        assert row.wrap().validate_code(code)
    assert (page_data.factor(user).codes, page_data.factor(user).few_codes) == (3, False)
    row = next(row for row in accounts.authenticators_of(user) if row.type == "recovery_codes")
    row.wrap().validate_code(row.wrap().get_unused_codes()[0])
    assert page_data.factor(user).few_codes is True
    assert '<span class="hint warn">' in body(signed_in(user).get(ACCOUNT))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (CHROME, "Chrome on macOS"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Linux",
        ),
        ("curl/8.0", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_devices_have_names(header: str, name: str) -> None:
    assert device(header).name == name


def test_the_page_takes_as_many_queries_for_many_sessions_and_workspaces(
    django_assert_max_num_queries: object,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    user = UserFactory.create()
    client = reauthenticated(user)
    client.get(ACCOUNT)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(ACCOUNT).status_code == 200
        return len(queries)

    make_workspace(owner=user)
    few = count()
    for number in range(30):
        make_workspace(owner=user, name=f"Workspace {number}")
        reauthenticated(user)
    assert count() == few
