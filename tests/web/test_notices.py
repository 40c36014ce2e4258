"""The bell, the list behind it, and the page of notices."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import Notice, User, Workspace
from editor.operations import notices
from editor.operations.notices import Kind
from editor.queries import notices as queries
from tests.factories import UserFactory, make_workspace
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db

PAGE = reverse("notices")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def user(workspace: Workspace) -> User:
    return workspace.members.get()


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def tell(user: User, source: str = "1", *, text: str = "Few are left.", path: str = "/w/acme/") -> Notice:
    assert notices.add(user=user, kind=Kind.CREDITS_LOW, text=text, source=source, path=path)
    return Notice.objects.get(user=user, source=source)


def bell(page: str) -> str:
    """What a screen reader reads of the bell's button."""
    button = page.split('id="bell"')[1].split("</button>", maxsplit=1)[0].partition(">")[2]
    import re

    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", "", button).replace("&nbsp;", " ").split())


def test_the_bell_counts_what_is_unread(workspace: Workspace, user: User, client: Client) -> None:
    studio = reverse("studio", args=[workspace.slug])
    assert bell(body(client.get(studio))) == "Notices"
    for source in ("1", "2"):
        tell(user, source)
    for url in (studio, reverse("workspaces"), PAGE):
        assert bell(body(client.get(url))) == "Notices 2 unread"
    Notice.objects.bulk_create(
        Notice(user=user, kind="x", text="x", source=str(number)) for number in range(120)
    )
    assert bell(body(client.get(studio))) == "Notices 99+ unread"


def test_strangers_have_no_bell() -> None:
    assert 'id="bell"' not in body(Client().get(reverse("account_login")))
    for name in ("notices", "notices_read"):
        response = Client().post(reverse(name)) if name == "notices_read" else Client().get(reverse(name))
        assert response["Location"].startswith(reverse("account_login"))


def test_opening_one_marks_it_as_read_and_leads_to_its_page(user: User, client: Client) -> None:
    first, second = tell(user, "1", path="/w/acme/credits/"), tell(user, "2", path="")
    assert client.get(reverse("notice", args=[first.pk]))["Location"] == "/w/acme/credits/"
    assert queries.unread(user) == 1
    assert client.get(reverse("notice", args=[second.pk]))["Location"] == PAGE
    assert queries.unread(user) == 0


def test_those_of_others_are_not_found(client: Client) -> None:
    other = UserFactory.create()
    notice = tell(other, text="A secret of theirs")
    assert client.get(reverse("notice", args=[notice.pk])).status_code == 404
    assert "A secret of theirs" not in body(client.get(PAGE))
    client.post(reverse("notices_read"))
    assert queries.unread(other) == 1


def test_the_list_behind_the_bell_has_the_newest(user: User, client: Client) -> None:
    for number in range(10):
        tell(user, str(number), text=f"Notice number {number}.")
    shown = body(client.get(PAGE, headers=HTMX))
    assert "<html" not in shown
    assert shown.index("number 9.") < shown.index("number 2.")
    assert "number 1." not in shown
    assert shown.count("Unread:") == 8


def test_reading_all_updates_the_bell_or_returns_to_the_page(user: User, client: Client) -> None:
    tell(user)
    swapped = body(client.post(reverse("notices_read"), headers=HTMX))
    assert 'hx-target="#bell"' in swapped
    assert "Unread:" not in swapped
    assert queries.unread(user) == 0
    assert client.post(reverse("notices_read"))["Location"] == PAGE


def test_the_page_goes_back_in_time(user: User, client: Client) -> None:
    now = timezone.now()
    for number in range(70):
        notice = tell(user, str(number), text=f"Notice number {number}.")
        Notice.objects.filter(pk=notice.pk).update(created_at=now - timedelta(minutes=number))
    first = body(client.get(PAGE))
    assert first.count("Unread:") == 50
    older = first.split('href="/notices/?before=')[1].split('"')[0]
    second = body(client.get(PAGE, {"before": older}))
    assert second.count("Unread:") == 20
    assert "number 50." in second
    assert "before=" not in second


@pytest.mark.parametrize("before", ["", "x", "nan", "inf", "-1e400", "9" * 400, "\0"])
def test_an_invalid_time_is_ignored(user: User, client: Client, before: str) -> None:
    tell(user)
    assert "Few are left." in body(client.get(PAGE, {"before": before}))


def test_words_of_others_are_escaped(user: User, client: Client) -> None:
    tell(user, text="<script>alert(1)</script>")
    for headers in ({}, HTMX):
        assert "<script>alert" not in body(client.get(PAGE, headers=headers))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_thousand_notices_take_no_more_queries_than_ten(
    user: User, client: Client, headers: dict[str, str]
) -> None:
    counts = []
    for many in (10, 990):
        Notice.objects.bulk_create(
            Notice(user=user, kind=Kind.EDIT_ENDED, text="Ready", path="/", source=f"{many} {number}")
            for number in range(many)
        )
        client.get(PAGE, headers=headers)
        with CaptureQueriesContext(connection) as queries_made:
            client.get(PAGE, headers=headers)
        counts.append(len(queries_made))
    assert counts[0] == counts[1]


def test_a_page_counts_unread_notices_with_one_query(
    workspace: Workspace, user: User, client: Client
) -> None:
    tell(user)
    with CaptureQueriesContext(connection) as made:
        client.get(reverse("credits", args=[workspace.slug]))
    assert sum("editor_notice" in query["sql"] for query in made.captured_queries) == 1


def test_a_fragment_without_the_bell_counts_nothing(workspace: Workspace, client: Client) -> None:
    with CaptureQueriesContext(connection) as made:
        client.get(reverse("rail", args=[workspace.slug]), headers=HTMX)
    assert not any("editor_notice" in query["sql"] for query in made.captured_queries)
